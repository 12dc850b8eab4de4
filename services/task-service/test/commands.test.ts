import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type HttpAnswer } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const say = (taskId: string, word: string, body: object = {}): Promise<HttpAnswer> =>
  fixture.http('POST', `/v1/tasks/${taskId}/${word}`, body);

/** A task assigned to an agent of its own, with the fence of that hold. */
async function assigned(agentId: string, body: object = {}) {
  const { epoch } = await hello(fixture, agentId);
  const taskId = await create(fixture, body);
  const { attempt } = await assign(fixture, taskId, agentId);
  return { taskId, hold: { agentId, attempt, epoch } };
}

describe('a holder’s words over HTTP', () => {
  it('take a task through its life, as those of the agent do', async () => {
    const { taskId, hold } = await assigned('spoken');
    const started = await say(taskId, 'start', hold);
    expect([started.status, started.headers.get('etag')]).toEqual([200, '"v3"']);
    expect(started.body).toEqual({ id: taskId, status: 'in_progress', attempt: 1, version: 3 });
    expect((await say(taskId, 'start', hold)).body).toEqual(started.body);
    expect((await say(taskId, 'progress', { ...hold, percent: 30 })).body).toEqual(started.body);
    expect((await say(taskId, 'complete', { ...hold, result: { n: 1 } })).body.status).toBe('completed');
    const { body } = await fixture.http('GET', `/v1/tasks/${taskId}`);
    expect(body).toMatchObject({ result: { n: 1 }, progress: { percent: 30 }, lastAgentId: 'spoken' });
    const { body: history } = await fixture.http('GET', `/v1/tasks/${taskId}/history?after=3`);
    expect(history.data).toMatchObject([{ type: 'task.completed', actor: 'user:local' }]);
  });

  it('give a task back and fail it', async () => {
    const { taskId, hold } = await assigned('handing');
    expect((await say(taskId, 'return', { ...hold, reason: 'declined' })).body.status).toBe('queued');
    const failing = await assigned('failing');
    const error = { code: 'broken', message: 'it broke', retryable: false };
    expect((await say(failing.taskId, 'fail', { ...failing.hold, error })).body.status).toBe('failed');
  });

  it('are fenced like them', async () => {
    const { taskId, hold } = await assigned('fenced');
    await say(taskId, 'start', hold);
    const code = async (change: object) =>
      (await say(taskId, 'complete', { ...hold, ...change })).body.code as string;
    expect(await code({ attempt: 2 })).toBe('STALE_ATTEMPT');
    expect(await code({ agentId: 'other' })).toBe('STALE_ATTEMPT');
    expect(await code({ epoch: 9 })).toBe('STALE_SESSION');
    const stale = await say(taskId, 'progress', { ...hold, attempt: 2, percent: 1 });
    expect([stale.status, stale.body.code]).toEqual([409, 'STALE_ATTEMPT']);
    expect(await statusOf(fixture, taskId)).toBe('in_progress');
    expect((await verb(fixture, 'fenced', 'complete', { taskId, ...hold, result: 1 })).ok).toBe(true);
  });

  it('count once with one command id, and with one idempotency key', async () => {
    const { taskId, hold } = await assigned('twice');
    await say(taskId, 'start', hold);
    const command = { ...hold, commandId: randomUUID() };
    const first = await say(taskId, 'complete', command);
    const again = await say(taskId, 'complete', command);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect((await say(taskId, 'complete', hold)).body.code).toBe('TASK_STATE_CONFLICT');
    const cancelled = await create(fixture);
    const cancel = () =>
      fixture.http('POST', `/v1/tasks/${cancelled}/cancel`, {}, { 'idempotency-key': 'off' });
    expect((await cancel()).body).toEqual((await cancel()).body);
  });
});

describe('a word', () => {
  it.each([
    ['nobody knows', 'explode', {}, [404, 'ROUTE_NOT_FOUND']],
    ['of every object', 'constructor', {}, [404, 'ROUTE_NOT_FOUND']],
    ['without its fence', 'complete', { result: 1 }, [400, 'VALIDATION_FAILED']],
    ['with a field nobody knows', 'cancel', { why: 'no' }, [400, 'VALIDATION_FAILED']],
  ])('%s is refused and changes nothing', async (_what, word, body, refusal) => {
    const taskId = await create(fixture);
    const { status, body: problem } = await say(taskId, word, body);
    expect([status, problem.code]).toEqual(refusal);
    expect((await fixture.http('GET', `/v1/tasks/${taskId}`)).body.version).toBe(1);
  });

  it('about a task that is not there is answered as such', async () => {
    expect((await say(randomUUID(), 'cancel')).body.code).toBe('TASK_NOT_FOUND');
    expect((await say('no-id', 'cancel')).status).toBe(400);
  });
});

describe('afterwards', () => {
  it('every task replays from its history', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(8);
  });
});
