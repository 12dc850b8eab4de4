import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

type Hold = { readonly taskId: string; readonly attempt: number; readonly epoch: number };

const epochs = new Map<string, Promise<number>>();
function epochOf(agentId: string): Promise<number> {
  const known =
    epochs.get(agentId) ?? hello(fixture, agentId, { maxConcurrent: 100 }).then(({ epoch }) => epoch);
  epochs.set(agentId, known);
  return known;
}

async function start(taskId: string, agentId: string): Promise<Hold> {
  const epoch = await epochOf(agentId);
  const { attempt } = await assign(fixture, taskId, agentId);
  await verb(fixture, agentId, 'start', { taskId, attempt, epoch });
  return { taskId, attempt, epoch };
}

const complete = (agentId: string, hold: Hold, result: Json = null) =>
  verb(fixture, agentId, 'complete', { ...hold, result });
const block = (agentId: string, hold: Hold, wait: object) =>
  verb(fixture, agentId, 'block', { ...hold, ...wait });
const spawn = (agentId: string, parent: Hold, body: object) =>
  fixture.ask(`agent.${agentId}.call.spawn`, { parent, ...body });
const say = (taskId: string, word: string, body: object = {}) =>
  fixture.http('POST', `/v1/tasks/${taskId}/${word}`, body);
const read = async (taskId: string) => (await fixture.http('GET', `/v1/tasks/${taskId}`)).body;
const becomes = (taskId: string, status: string) =>
  until(async () => (await statusOf(fixture, taskId)) === status, {
    describe: `${taskId} becomes ${status}`,
  });

/** What the agent gets at its next hello for a task it was given. */
async function offerOf(taskId: string, agentId: string): Promise<Json> {
  await epochOf(agentId);
  await assign(fixture, taskId, agentId);
  epochs.delete(agentId);
  const { assignments, epoch } = await hello(fixture, agentId, { maxConcurrent: 100 });
  epochs.set(agentId, Promise.resolve(epoch));
  return assignments.find(({ task }: Json) => task.id === taskId);
}

async function parentWith(agentId: string, tasks: readonly object[]) {
  const parent = await start(await create(fixture, { title: 'parent' }), agentId);
  const { tasks: children } = await spawn(agentId, parent, { tasks });
  return { parent, children: children.map(({ id }: Json) => id as string) as readonly string[] };
}

describe('a task that waits for its children', () => {
  it('gives its slot away, goes on when all have ended, and gets their results', async () => {
    const { parent, children } = await parentWith('planner', [{ title: 'one' }, { title: 'two' }]);
    const blocked = await block('planner', parent, { reason: 'children', children: 'all' });
    expect(blocked).toMatchObject({ ok: true, status: 'blocked' });
    expect(await read(parent.taskId)).toMatchObject({
      status: 'blocked',
      statusReason: 'children',
      assignedTo: null,
    });
    expect((await fixture.http('GET', '/v1/agents/planner')).body.workload).toMatchObject({
      active: 0,
      pending: 0,
    });
    const [one = '', two = ''] = children;
    await complete('worker', await start(one, 'worker'), { n: 1 });
    expect((await assign(fixture, parent.taskId, 'planner')).error.code).toBe('TASK_STATE_CONFLICT');
    await say(two, 'cancel');
    await becomes(parent.taskId, 'queued');
    const offer = await offerOf(parent.taskId, 'planner');
    expect(offer.childResults).toEqual([
      { taskId: one, title: 'one', status: 'completed', result: { n: 1 } },
      { taskId: two, title: 'two', status: 'cancelled', result: null },
    ]);
    expect(offer.previousAttempts).toMatchObject([{ attempt: 1, agentId: 'planner', reason: 'children' }]);
  });

  it.each([
    ['any', 1],
    [2, 2],
  ])('goes on when %s have ended', async (awaited, count) => {
    const tasks = Array.from({ length: 4 }, () => ({ title: 'child' }));
    const { parent, children } = await parentWith('planner', tasks);
    await block('planner', parent, { reason: 'children', children: awaited });
    for (const [index, child] of children.slice(0, count).entries()) {
      expect([index, await statusOf(fixture, parent.taskId)]).toEqual([index, 'blocked']);
      await complete('worker', await start(child, 'worker'));
    }
    await becomes(parent.taskId, 'queued');
  });

  it('does not wait for what can no longer happen, nor for detached children', async () => {
    const none = await start(await create(fixture), 'planner');
    await block('planner', none, { reason: 'children', children: 'any' });
    await becomes(none.taskId, 'queued');
    const { parent, children } = await parentWith('planner', [
      { title: 'a' },
      { title: 'b', detached: true },
    ]);
    await say(children[0] ?? '', 'cancel');
    await block('planner', parent, { reason: 'children', children: 5 });
    await becomes(parent.taskId, 'queued');
    expect(await statusOf(fixture, children[1] ?? '')).toBe('queued');
  });

  it('goes on by the reconciler when the word of an end was lost', async () => {
    const { parent, children } = await parentWith('planner', [{ title: 'lost' }]);
    await block('planner', parent, { reason: 'children', children: 'all' });
    // As if the child had ended and everybody who heard of it had died.
    await fixture.restart(async () => {
      await fixture.db.query(
        `UPDATE tasks SET status = 'cancelled', status_reason = 'test', completed_at = now(), backlog_class = NULL,
          assigned_to = NULL WHERE id = $1`,
        [children[0]],
      );
    });
    await becomes(parent.taskId, 'queued');
    const { body } = await fixture.http('GET', `/v1/tasks/${parent.taskId}/history?after=4`);
    expect(body.data).toMatchObject([
      { type: 'task.queued', reason: 'unblocked', actor: 'system:reconciler' },
    ]);
    await fixture.db.query('DELETE FROM task_events WHERE task_id = $1', [children[0]]);
    await fixture.db.query('DELETE FROM tasks WHERE id = $1', [children[0]]);
  });

  it('is refused with the way when a child waits for it', async () => {
    const { parent, children } = await parentWith('planner', [{ title: 'child' }]);
    const between = await create(fixture, { dependencies: [{ taskId: parent.taskId }] });
    await fixture.http('PUT', `/v1/tasks/${children[0]}/dependencies/${between}`);
    const refused = await block('planner', parent, { reason: 'children', children: 'all' });
    expect(refused.error).toMatchObject({
      code: 'DEPENDENCY_CYCLE',
      details: { path: [parent.taskId, children[0], between, parent.taskId] },
    });
    expect(await statusOf(fixture, parent.taskId)).toBe('in_progress');
  });
});

describe('a task that asks', () => {
  it('goes on with the answer, and another attempt still has it', async () => {
    const hold = await start(await create(fixture), 'asker');
    const { taskId } = hold;
    await block('asker', hold, { reason: 'input', question: 'which?' });
    expect(await read(taskId)).toMatchObject({
      status: 'blocked',
      statusReason: 'input',
      questions: [{ attempt: 1, reason: 'input', question: 'which?', answer: null, answeredBy: null }],
    });
    expect((await fixture.http('GET', `/v1/tasks/${taskId}/decision`)).body.waiting).toMatchObject({
      reason: 'BLOCKED_BY_QUESTION',
      evidence: { waitsFor: 'input', question: { question: 'which?' } },
    });
    expect((await say(taskId, 'answer', { answer: 1, attempt: 2 })).body.code).toBe('STALE_ATTEMPT');
    expect((await say(taskId, 'unblock')).body.code).toBe('TASK_STATE_CONFLICT');
    expect((await say(taskId, 'answer', { answer: { pick: 'b' }, attempt: 1 })).body.status).toBe('queued');
    expect((await say(taskId, 'answer', { answer: 2 })).body.code).toBe('TASK_STATE_CONFLICT');
    const offer = await offerOf(taskId, 'asker');
    expect(offer.questions).toMatchObject([
      { question: 'which?', answer: { pick: 'b' }, answeredBy: 'user:local' },
    ]);
    await verb(fixture, 'asker', 'start', { taskId, attempt: 2, epoch: await epochOf('asker') });
    await block(
      'asker',
      { taskId, attempt: 2, epoch: await epochOf('asker') },
      { reason: 'approval', question: 'ok?' },
    );
    await say(taskId, 'answer', { answer: null });
    const again = await offerOf(taskId, 'other');
    expect(again.questions.map(({ attempt, answer }: Json) => [attempt, answer])).toEqual([
      [1, { pick: 'b' }],
      [2, null],
    ]);
    expect(again.previousAttempts.map(({ reason }: Json) => reason)).toEqual(['input', 'approval']);
  });

  it('fails when the answer is that there is none', async () => {
    const hold = await start(await create(fixture), 'asker');
    await block('asker', hold, { reason: 'approval', question: 'may I?' });
    expect((await say(hold.taskId, 'answer', { denied: true, reason: 'not today' })).body.status).toBe(
      'failed',
    );
    expect(await read(hold.taskId)).toMatchObject({
      statusReason: 'denied',
      error: { code: 'denied', message: 'not today', retryable: false },
    });
  });

  it('hears what happened outside of Baton', async () => {
    const hold = await start(await create(fixture), 'asker');
    await block('asker', hold, { reason: 'external', question: 'the delivery' });
    expect((await say(hold.taskId, 'answer', { answer: 1 })).body.code).toBe('TASK_STATE_CONFLICT');
    expect((await say(hold.taskId, 'unblock', { answer: 'there' })).body.status).toBe('queued');
    expect((await read(hold.taskId)).questions).toMatchObject([{ answer: 'there' }]);
  });

  it('is answered by its creator and whoever holds an ancestor, and by no other agent', async () => {
    const { parent, children } = await parentWith('boss', [{ title: 'child' }]);
    const hold = await start(children[0] ?? '', 'asker');
    await block('asker', hold, { reason: 'input', question: 'which?' });
    const answer = (agentId: string) =>
      fixture.ask(`agent.${agentId}.call.answer`, { taskId: hold.taskId, answer: 'that' });
    await epochOf('stranger');
    expect((await answer('stranger')).error.code).toBe('TASK_NOT_FOUND');
    expect((await answer('asker')).error.code).toBe('FORBIDDEN');
    expect(await answer('boss')).toMatchObject({ ok: true, status: 'queued' });
    await complete('boss', parent);
  });

  it('is fenced, and heard once however often it asks', async () => {
    const hold = await start(await create(fixture), 'asker');
    const wait = { reason: 'input', question: 'which?', commandId: randomUUID() };
    expect((await block('asker', { ...hold, epoch: hold.epoch + 1 }, wait)).error.code).toBe('STALE_SESSION');
    const first = await block('asker', hold, wait);
    expect(await block('asker', hold, wait)).toEqual(first);
    expect((await complete('asker', hold)).error.code).toBe('STALE_ATTEMPT');
    expect((await read(hold.taskId)).questions).toHaveLength(1);
  });
});

describe('a task that was given up', () => {
  it.each([
    ['cancelled', (hold: Hold) => say(hold.taskId, 'cancel')],
    [
      'failed',
      (hold: Hold) =>
        verb(fixture, 'boss', 'fail', { ...hold, error: { message: 'broken', retryable: false } }),
    ],
  ] as const)('%s takes its children with it, but not detached ones', async (status, giveUp) => {
    const { parent, children } = await parentWith('boss', [{ title: 'a' }, { title: 'b', detached: true }]);
    const [child = '', detached = ''] = children;
    const working = await start(child, 'worker');
    const { tasks } = await spawn('worker', working, { task: { title: 'grandchild' } });
    await giveUp(parent);
    await becomes(child, 'cancelled');
    expect((await read(child)).statusReason).toBe(`parent_${status}`);
    await becomes(tasks[0].id, 'cancelled');
    expect(await statusOf(fixture, detached)).toBe('queued');
  });
});

describe('afterwards', () => {
  it('every task replays from its history', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(20);
  });
});
