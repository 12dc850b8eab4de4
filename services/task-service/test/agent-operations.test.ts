import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { agentSubject } from '@baton/contracts';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const post = (agentId: string, what: string) => fixture.http('POST', `/v1/agents/${agentId}/${what}`);
const read = async (agentId: string, what = ''): Promise<Json> =>
  (await fixture.http('GET', `/v1/agents/${agentId}${what}`)).body;

async function begin(agentId: string, epoch: number, body: object = {}): Promise<string> {
  const taskId = await create(fixture, body);
  const { attempt } = await assign(fixture, taskId, agentId);
  expect((await verb(fixture, agentId, 'start', { taskId, attempt, epoch })).ok).toBe(true);
  return taskId;
}

describe('an agent that is drained', () => {
  it('stays so whichever of its processes says hello, until it is resumed', async () => {
    const instance = randomUUID();
    await hello(fixture, 'worn', { instance });
    const told: string[] = [];
    const listening = fixture.connection.subscribe(agentSubject.control('worn'), {
      callback: (_error, message) => void told.push(message.json<Json>().type),
    });
    expect((await post('worn', 'drain')).body).toMatchObject({ status: 'draining', drained: true });
    expect((await post('worn', 'drain')).body).toMatchObject({ status: 'draining' });
    await hello(fixture, 'worn', { instance });
    expect((await read('worn')).status).toBe('draining');
    await hello(fixture, 'worn');
    expect(await read('worn')).toMatchObject({ status: 'draining', epoch: 2 });
    const taskId = await create(fixture);
    expect((await assign(fixture, taskId, 'worn')).error.code).toBe('AGENT_NOT_ONLINE');
    expect((await post('worn', 'resume')).body).toMatchObject({ status: 'online', drained: false });
    expect((await assign(fixture, taskId, 'worn')).ok).toBe(true);
    await until(() => told.length === 2);
    expect(told).toEqual(['drain', 'rehello']);
    listening.unsubscribe();
    expect((await post('nobody', 'drain')).body.code).toBe('AGENT_NOT_FOUND');
  });

  it('is drained also while it is away', async () => {
    await fixture.http('POST', '/v1/agents', { id: 'away' });
    expect((await post('away', 'drain')).body).toMatchObject({ status: 'offline', drained: true });
    await hello(fixture, 'away');
    expect((await read('away')).status).toBe('draining');
    expect((await post('away', 'resume')).body.status).toBe('online');
  });

  it('keeps what it works on, and what it has not begun goes elsewhere', async () => {
    const { epoch } = await hello(fixture, 'busy', { maxConcurrent: 2 });
    const running = await begin('busy', epoch);
    const unbegun = await create(fixture);
    await assign(fixture, unbegun, 'busy');
    await post('busy', 'drain');
    expect(await statusOf(fixture, running)).toBe('in_progress');
    const { body } = await fixture.http('GET', `/v1/tasks/${unbegun}`);
    expect(body).toMatchObject({ status: 'queued', statusReason: 'reassigned', retryCount: 0 });
  });
});

describe('the work of an agent', () => {
  it('is put back into the queue where it can be, told apart from what stays', async () => {
    const { epoch } = await hello(fixture, 'loaded', { maxConcurrent: 2 });
    const running = await begin('loaded', epoch);
    const unbegun = await create(fixture);
    await assign(fixture, unbegun, 'loaded');
    const only = await create(fixture, { criteria: { pin: { agentId: 'loaded', mode: 'require' } } });
    const first = await create(fixture, { criteria: { pin: { agentId: 'loaded' } } });
    const { body } = await post('loaded', 'redistribute');
    expect(body.requeued.toSorted()).toEqual([unbegun, first].toSorted());
    expect(body.kept).toEqual([
      { id: running, why: 'in_progress' },
      { id: only, why: 'only_this_agent' },
    ]);
    expect((await fixture.http('GET', `/v1/tasks/${first}`)).body).toMatchObject({
      pinnedTo: null,
      statusReason: 'redistributed',
    });
    const again = await post('loaded', 'redistribute');
    expect(again.body.requeued).toEqual([]);
  });

  it('is counted, what is done for as long as the agent is known', async () => {
    const { epoch } = await hello(fixture, 'counted', { maxConcurrent: 4 });
    const done = await begin('counted', epoch);
    await begin('counted', epoch);
    await assign(fixture, await create(fixture), 'counted');
    await verb(fixture, 'counted', 'complete', { taskId: done, attempt: 1, epoch, result: 1 });
    await until(async () => (await read('counted', '/workload')).completed === 1);
    expect(await read('counted', '/workload')).toEqual({
      pending: 1,
      active: 1,
      completed: 1,
      capacityUtilization: 0.25,
      queueDepth: 2,
      canAccept: true,
    });
  });

  it('is listed: running, bound, pinned, and what the distribution would give it', async () => {
    const { epoch } = await hello(fixture, 'lined', {
      maxConcurrent: 2,
      capabilities: [{ name: 'line', level: 1 }],
    });
    const running = await begin('lined', epoch);
    const pinned = await create(fixture, { criteria: { pin: { agentId: 'lined' } } });
    const first = await create(fixture, { requiredCapabilities: [{ name: 'line' }], priority: 1 });
    const second = await create(fixture, { requiredCapabilities: [{ name: 'line' }] });
    const other = await create(fixture, { requiredCapabilities: [{ name: 'fly' }] });
    const ids = (entries: readonly Json[]) => entries.map(({ taskId }) => taskId);
    expect(await read('lined', '/queue')).toMatchObject({ soft: null, next: pinned });
    const asked: Json[] = [];
    const listening = fixture.connection.subscribe('svc.distribution.best', {
      callback: (_error, message) => {
        asked.push(message.json());
        message.respond(JSON.stringify({ best: [second] }));
      },
    });
    await fixture.connection.flush();
    const queue = await read('lined', '/queue');
    expect(ids(queue.running)).toEqual([running]);
    expect(ids(queue.pinned)).toEqual([pinned]);
    expect(ids(queue.soft)).toEqual([second]);
    const candidates = asked[0].tasks.map(({ id }: Json) => id);
    expect(candidates).toEqual(expect.arrayContaining([first, second]));
    expect(candidates).not.toContain(other);
    expect(candidates.indexOf(first)).toBeLessThan(candidates.indexOf(second));
    listening.unsubscribe();
    await assign(fixture, first, 'lined');
    expect(await read('lined', '/queue')).toMatchObject({ bound: [{ taskId: first }], next: first });
  });
});

describe('a task that waits for an agent that is lost', () => {
  it('goes back to who handed it on at once, and waits on where it asked for that agent', async () => {
    const giver = await hello(fixture, 'giver');
    const { epoch } = await hello(fixture, 'taker', { maxConcurrent: 1 });
    await fixture.http('PUT', '/v1/agents/giver/connections/taker', {});
    await begin('taker', epoch);
    const taskId = await begin('giver', giver.epoch);
    const hold = { taskId, attempt: 1, epoch: giver.epoch };
    expect((await verb(fixture, 'giver', 'delegate', { ...hold, to: 'taker' })).status).toBe('queued');
    const patient = await create(fixture, { criteria: { pin: { agentId: 'taker' } } });
    await fixture.ask('svc.agent.expire', { items: [{ agentId: 'taker', epoch, silentMs: 6_000 }] });
    const pinnedTo = async (id: string) => (await fixture.http('GET', `/v1/tasks/${id}`)).body.pinnedTo;
    await until(async () => (await pinnedTo(taskId)) === 'giver');
    expect(await pinnedTo(patient)).toBe('taker');
  });
});

describe('afterwards', () => {
  it('every task replays from its history', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(15);
  });
});
