import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assign, create, hello, statusOf } from './agent.js';
import { startFixture, type Fixture, type HttpAnswer, type Json } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

const post = (path: string, key: string, body: object = {}): Promise<HttpAnswer> =>
  fixture.http('POST', `/v1${path}`, body, { 'idempotency-key': key });
const agentOf = async (id: string): Promise<Json> => (await fixture.http('GET', `/v1/agents/${id}`)).body;

async function bound(agentId: string, body: object = {}): Promise<string> {
  const taskId = await create(fixture, body);
  expect((await assign(fixture, taskId, agentId)).ok).toBe(true);
  return taskId;
}

/** What a replay must be: the answer of the first, marked as such. */
function expectReplay(first: HttpAnswer, again: HttpAnswer): void {
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect([again.status, again.body]).toEqual([first.status, first.body]);
}

describe('a POST that is repeated with its key', () => {
  it('does not drain again an agent that has tasks again', async () => {
    await hello(fixture, 'drained');
    const before = await bound('drained');
    const key = randomUUID();
    const first = await post('/agents/drained/drain', key);
    expect(first.body).toMatchObject({ status: 'draining', drained: true });
    expect(await statusOf(fixture, before)).toBe('queued');
    const resumeKey = randomUUID();
    const resumed = await post('/agents/drained/resume', resumeKey);
    expect(resumed.body).toMatchObject({ drained: false });
    const after = await bound('drained');
    expectReplay(first, await post('/agents/drained/drain', key));
    expect(await statusOf(fixture, after)).toBe('assigned');
    expect((await agentOf('drained')).drained).toBe(false);
    await post('/agents/drained/drain', randomUUID());
    expectReplay(resumed, await post('/agents/drained/resume', resumeKey));
    expect((await agentOf('drained')).drained).toBe(true);
  });

  it('takes nothing more from an agent, and says what the first did', async () => {
    await hello(fixture, 'robbed');
    const taken = await bound('robbed');
    const key = randomUUID();
    const first = await post('/agents/robbed/redistribute', key);
    expect(first.body).toEqual({ requeued: [taken], kept: [] });
    const kept = await bound('robbed');
    expectReplay(first, await post('/agents/robbed/redistribute', key));
    expect(await statusOf(fixture, kept)).toBe('assigned');
    expect((await post('/agents/robbed/drain', key)).body.code).toBe('IDEMPOTENCY_MISMATCH');
  });

  it('counts a report of progress once', async () => {
    const { epoch } = await hello(fixture, 'reporting');
    const taskId = await bound('reporting');
    const hold = { agentId: 'reporting', attempt: 1, epoch };
    const path = `/tasks/${taskId}/progress`;
    const key = randomUUID();
    const early = { ...hold, percent: 5 };
    expect((await post(path, key, early)).body.code).toBe('TASK_STATE_CONFLICT');
    await fixture.http('POST', `/v1/tasks/${taskId}/start`, hold);
    const first = await post(path, key, early);
    expect((await post(path, randomUUID(), { ...hold, percent: 5, message: 'later' })).status).toBe(200);
    expectReplay(first, await post(path, key, early));
    expect((await post(path, key, { ...hold, percent: 6 })).status).toBe(422);
    const { body } = await fixture.http('GET', `/v1/tasks/${taskId}`);
    expect(body.progress).toMatchObject({ percent: 5, message: 'later' });
  });

  it('answers a pause as it was, whatever came after', async () => {
    const [pauseKey, resumeKey] = [randomUUID(), randomUUID()];
    const paused = await post('/pause', pauseKey, { reason: 'a night' });
    expect(paused.body).toMatchObject({ paused: true, reason: 'a night' });
    const resumed = await post('/resume', resumeKey);
    expectReplay(paused, await post('/pause', pauseKey, { reason: 'a night' }));
    expect((await fixture.http('GET', '/v1/pause')).body.paused).toBe(false);
    expect((await post('/pause', pauseKey, { reason: 'a day' })).status).toBe(422);
    expectReplay(resumed, await post('/resume', resumeKey));
  });

  it('may be tried again when it was refused', async () => {
    const key = randomUUID();
    expect((await post('/agents/late/drain', key)).body.code).toBe('AGENT_NOT_FOUND');
    await hello(fixture, 'late');
    expect((await post('/agents/late/drain', key)).status).toBe(200);
  });

  it('gets one answer when several come at once', async () => {
    await hello(fixture, 'crowd');
    await bound('crowd');
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post('/agents/crowd/redistribute', key)),
    );
    const bodies = new Set(answers.map(({ body }) => JSON.stringify(body)));
    expect(bodies.size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
  });
});
