import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const read = async (taskId: string): Promise<Json> => (await fixture.http('GET', `/v1/tasks/${taskId}`)).body;
const say = (taskId: string, word: string, body: object = {}) =>
  fixture.http('POST', `/v1/tasks/${taskId}/${word}`, body);
const FINAL = { message: 'it broke', retryable: false };

/** A task that an agent of its own has failed for good. */
async function failed(agentId: string, body: object = {}) {
  const { epoch } = await hello(fixture, agentId);
  const taskId = await create(fixture, body);
  const { attempt } = await assign(fixture, taskId, agentId);
  const hold = { taskId, attempt, epoch };
  await verb(fixture, agentId, 'fail', { ...hold, error: FINAL });
  return hold;
}

describe('a task that failed', () => {
  it('begins anew with changes; what was said about the attempts before stays refused', async () => {
    const hold = await failed('failing', { input: { page: 1 }, priority: 5, maxRetries: 0 });
    const before = await read(hold.taskId);
    expect(before).toMatchObject({ status: 'failed', statusReason: 'not_retryable' });
    const answer = await say(hold.taskId, 'reopen', { input: { page: 2 }, priority: 1 });
    expect(answer.body).toEqual({ id: hold.taskId, status: 'queued', attempt: 1, version: 4 });
    const after = await read(hold.taskId);
    expect(after).toMatchObject({
      statusReason: 'reopened',
      input: { page: 2 },
      priority: 1,
      completedAt: null,
      retryCount: 0,
      handoverCount: 0,
      firstQueuedAt: after.queuedAt,
    });
    expect(Date.parse(after.firstQueuedAt)).toBeGreaterThan(Date.parse(before.firstQueuedAt));
    expect((await verb(fixture, 'failing', 'complete', hold)).error.code).toBe('STALE_ATTEMPT');
    expect(await assign(fixture, hold.taskId, 'failing')).toMatchObject({ ok: true, attempt: 2 });
    const again = { ...hold, attempt: 2 };
    await verb(fixture, 'failing', 'start', again);
    expect(await verb(fixture, 'failing', 'complete', { ...again, result: 1 })).toMatchObject({
      status: 'completed',
    });
  });

  it('is reopened by its other name, once, for another agent', async () => {
    const { taskId } = await failed('first');
    const criteria = { excludedAgents: ['first'] };
    expect((await say(taskId, 'retry', { criteria })).body).toMatchObject({ status: 'queued', version: 4 });
    const { rows } = await fixture.db.query('SELECT excluded_agents FROM tasks WHERE id = $1', [taskId]);
    expect(rows[0].excluded_agents).toEqual(['first']);
    expect((await say(taskId, 'reopen')).body.code).toBe('TASK_STATE_CONFLICT');
  });

  it('whose deadline has passed needs another one', async () => {
    const deadline = new Date(Date.now() + 500).toISOString();
    const taskId = await create(fixture, { deadline });
    await until(async () => (await statusOf(fixture, taskId)) === 'failed');
    const refused = await say(taskId, 'reopen');
    expect([refused.body.code, refused.body.detail]).toEqual([
      'TASK_STATE_CONFLICT',
      expect.stringContaining('deadline'),
    ]);
    expect((await say(taskId, 'reopen', { deadline: null })).body.status).toBe('queued');
  });

  it('waits again for what it depends on, and fails with it again', async () => {
    const { taskId: broken } = await failed('breaking');
    const taskId = await create(fixture, { dependencies: [{ taskId: broken }] });
    await until(async () => (await statusOf(fixture, taskId)) === 'failed');
    expect((await say(broken, 'reopen')).body.status).toBe('queued');
    expect((await say(taskId, 'reopen')).body.status).toBe('blocked');
    await say(broken, 'cancel');
    await until(async () => (await read(taskId)).statusReason === 'dependency_failed');
  });
});

describe('a task that was cancelled', () => {
  it('begins anew, but not below a cancelled parent', async () => {
    const { epoch } = await hello(fixture, 'parent');
    const parentId = await create(fixture);
    const { attempt } = await assign(fixture, parentId, 'parent');
    await verb(fixture, 'parent', 'start', { taskId: parentId, attempt, epoch });
    const spawned = await fixture.ask('agent.parent.call.spawn', {
      task: { title: 'child' },
      parent: { taskId: parentId, attempt, epoch },
    });
    const childId: string = spawned.tasks[0].id;
    await say(parentId, 'cancel');
    await until(async () => (await statusOf(fixture, childId)) === 'cancelled');
    expect((await say(childId, 'reopen')).body.code).toBe('TASK_STATE_CONFLICT');
    expect((await say(parentId, 'reopen')).body.status).toBe('queued');
    expect((await say(childId, 'reopen')).body.status).toBe('queued');
  });

  it('is reopened over NATS by the agent that created it', async () => {
    for (const id of ['creating', 'looking']) await hello(fixture, id);
    const { tasks } = await fixture.ask('agent.creating.call.create', { task: { title: 'mine' } });
    const taskId: string = tasks[0].id;
    await fixture.ask('agent.creating.call.cancel', { taskId });
    const call = { taskId, commandId: '0193a1c5-0005-7000-8000-000000000007', changes: { priority: 2 } };
    expect((await fixture.ask('agent.looking.call.reopen', call)).error.code).toBe('TASK_NOT_FOUND');
    const first = await fixture.ask('agent.creating.call.reopen', call);
    expect(first).toMatchObject({ ok: true, status: 'queued', version: 3 });
    expect(await fixture.ask('agent.creating.call.reopen', call)).toEqual(first);
    const named = { taskId, changes: { criteria: { requiredAgents: ['looking'] } } };
    expect((await fixture.ask('agent.creating.call.reopen', named)).error.code).toBe('FORBIDDEN');
  });
});

describe('what has completed', () => {
  it('stays so', async () => {
    const { epoch } = await hello(fixture, 'done');
    const taskId = await create(fixture);
    const { attempt } = await assign(fixture, taskId, 'done');
    await verb(fixture, 'done', 'start', { taskId, attempt, epoch });
    await verb(fixture, 'done', 'complete', { taskId, attempt, epoch });
    expect((await say(taskId, 'reopen')).body).toMatchObject({
      code: 'TASK_STATE_CONFLICT',
      details: { status: 'completed' },
    });
  });
});

describe('afterwards', () => {
  it('every task replays from its history', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(7);
  });
});
