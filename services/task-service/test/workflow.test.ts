import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { forgetOldKeys } from '../src/write-path/idempotency.store.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

/** Takes a task through its life on one agent. */
async function complete(taskId: string, agentId: string, result: unknown = null): Promise<void> {
  const { epoch } = await helloOnce(agentId);
  const { attempt } = await assign(fixture, taskId, agentId);
  await verb(fixture, agentId, 'start', { taskId, attempt, epoch });
  const answer = await verb(fixture, agentId, 'complete', { taskId, attempt, epoch, result });
  expect(answer).toMatchObject({ ok: true, status: 'completed' });
}

const greeted = new Map<string, Promise<Json>>();
function helloOnce(agentId: string): Promise<Json> {
  const known = greeted.get(agentId) ?? hello(fixture, agentId, { maxConcurrent: 100 });
  greeted.set(agentId, known);
  return known;
}

const becomes = (taskId: string, status: string) =>
  until(async () => (await statusOf(fixture, taskId)) === status, {
    describe: `${taskId} becomes ${status}`,
  });

async function graph(tasks: readonly object[]): Promise<Record<string, string>> {
  const { status, body } = await fixture.http('POST', '/v1/tasks/graph', { tasks });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return Object.fromEntries(body.tasks.map(({ ref, id }: Json) => [ref, id]));
}

describe('graphs', () => {
  it('starts a dependent only when all it waits for completed, and gives it their results', async () => {
    const ids = await graph([
      { ref: 'left', title: 'left' },
      { ref: 'right', title: 'right' },
      { ref: 'join', title: 'join', dependencies: [{ ref: 'left' }, { ref: 'right', name: 'other' }] },
    ]);
    expect(await statusOf(fixture, ids['join'] ?? '')).toBe('blocked');
    await complete(ids['left'] ?? '', 'worker', { side: 'left' });
    expect((await assign(fixture, ids['join'] ?? '', 'worker')).error.code).toBe('TASK_STATE_CONFLICT');
    await complete(ids['right'] ?? '', 'worker', { side: 'right' });
    await becomes(ids['join'] ?? '', 'queued');
    await assign(fixture, ids['join'] ?? '', 'worker');
    greeted.delete('worker');
    const { assignments } = await helloOnce('worker');
    const results = assignments.find(({ task }: Json) => task.id === ids['join']).dependencyResults;
    expect(results.map(({ name, result }: Json) => [name, result.side]).toSorted()).toEqual([
      ['left', 'left'],
      ['other', 'right'],
    ]);
  });

  it('fails a whole chain when its first task is cancelled', async () => {
    const ids = await graph([
      { ref: 'a', title: 'a' },
      { ref: 'b', title: 'b', dependencies: [{ ref: 'a' }] },
      { ref: 'c', title: 'c', dependencies: [{ ref: 'b' }] },
    ]);
    expect((await fixture.http('POST', `/v1/tasks/${ids['a']}/cancel`, {})).body.status).toBe('cancelled');
    await becomes(ids['c'] ?? '', 'failed');
    const { body } = await fixture.http('GET', `/v1/tasks/${ids['c']}`);
    expect(body).toMatchObject({ statusReason: 'dependency_failed', error: { code: 'dependency_failed' } });
  });

  it('refuses cycles with their path, unknown and repeated references, and missing dependencies; nothing is written', async () => {
    const before = await fixture.db.query('SELECT count(*) FROM tasks');
    const refused = async (tasks: readonly object[]) =>
      (await fixture.http('POST', '/v1/tasks/graph', { tasks })).body;
    const cycle = await refused([
      { ref: 'a', title: 'a', dependencies: [{ ref: 'b' }] },
      { ref: 'b', title: 'b', dependencies: [{ ref: 'a' }] },
    ]);
    expect(cycle).toMatchObject({
      code: 'DEPENDENCY_CYCLE',
      status: 422,
      details: { path: ['a', 'b', 'a'] },
    });
    expect((await refused([{ ref: 'a', title: 'a', dependencies: [{ ref: 'z' }] }])).code).toBe(
      'VALIDATION_FAILED',
    );
    expect(
      (
        await refused([
          { ref: 'a', title: 'a' },
          { ref: 'a', title: 'b' },
        ])
      ).code,
    ).toBe('VALIDATION_FAILED');
    const missing = { taskId: '01900000-0000-7000-8000-000000000000' };
    expect((await refused([{ ref: 'a', title: 'a', dependencies: [missing] }])).code).toBe(
      'DEPENDENCY_NOT_FOUND',
    );
    expect((await fixture.db.query('SELECT count(*) FROM tasks')).rows).toEqual(before.rows);
  });

  it('never leaves a dependent waiting that is created while its dependency ends', async () => {
    await helloOnce('racer');
    const pairs = Array.from({ length: 40 }, async () => {
      const first = await create(fixture);
      const [, second] = await Promise.all([
        complete(first, 'racer'),
        create(fixture, { dependencies: [{ taskId: first }] }),
      ]);
      return second;
    });
    for (const second of await Promise.all(pairs)) await becomes(second, 'queued');
    expect(pairs).toHaveLength(40);
  });

  it('creates and unblocks a wide graph in bounded pages', async () => {
    const leaves = Array.from({ length: 2_000 }, (_, index) => ({
      ref: `leaf-${index}`,
      title: 'leaf',
      dependencies: [{ ref: 'root' }],
    }));
    const ids = await graph([{ ref: 'root', title: 'root' }, ...leaves]);
    await complete(ids['root'] ?? '', 'wide');
    await until(
      async () => {
        const { rows } = await fixture.db.query(
          `SELECT count(*)::int AS n FROM tasks WHERE status = 'queued' AND id = ANY($1)`,
          [Object.values(ids)],
        );
        return rows[0].n === 2_000;
      },
      { timeoutMs: 15_000 },
    );
  });
});

describe('spawning', () => {
  const spawn = (agentId: string, parent: object, body: object) =>
    fixture.ask(`agent.${agentId}.call.spawn`, { parent, ...body });

  async function parentHeldBy(agentId: string) {
    const { epoch } = await helloOnce(agentId);
    const taskId = await create(fixture, { title: 'parent' });
    const { attempt } = await assign(fixture, taskId, agentId);
    await verb(fixture, agentId, 'start', { taskId, attempt, epoch });
    return { taskId, attempt, epoch };
  }

  it('creates children under the fence and gives a second attempt the children of the first', async () => {
    const parent = await parentHeldBy('planner');
    const request = {
      graph: { tasks: [{ ref: 'one', title: 'one' }] },
      idempotencyKey: `${parent.taskId}:1`,
    };
    const first = await spawn('planner', parent, request);
    expect(first).toMatchObject({ ok: true, tasks: [{ ref: 'one', status: 'queued' }] });
    const different = {
      graph: { tasks: [{ ref: 'two', title: 'two' }] },
      idempotencyKey: `${parent.taskId}:1`,
    };
    expect(await spawn('planner', parent, different)).toEqual({ ...first, replayed: true });
    // A key is no way around the fence.
    await helloOnce('stranger');
    expect((await spawn('stranger', parent, request)).error.code).toBe('TASK_NOT_FOUND');
    expect((await spawn('planner', { ...parent, attempt: 9 }, { task: { title: 'x' } })).error.code).toBe(
      'STALE_ATTEMPT',
    );
    const { body } = await fixture.http('GET', `/v1/tasks/${first.tasks[0].id}`);
    expect(body).toMatchObject({
      parentTaskId: parent.taskId,
      rootTaskId: parent.taskId,
      depth: 1,
      createdBy: 'agent:planner',
    });
  });

  it('finds them days later too, as long as the parent may go on', async () => {
    const parent = await parentHeldBy('patient');
    const request = { task: { title: 'one' }, idempotencyKey: `${parent.taskId}:1` };
    const first = await spawn('patient', parent, request);
    const { db } = fixture;
    await db.query(`UPDATE idempotency_keys SET created_at = created_at - interval '3 days'`);
    await forgetOldKeys(db, new AbortController().signal);
    expect(await spawn('patient', parent, request)).toEqual({ ...first, replayed: true });
    await fixture.http('POST', `/v1/tasks/${parent.taskId}/cancel`, {});
    expect(await forgetOldKeys(db, new AbortController().signal)).toBe(1);
  });

  it('cancels living children with their parent, and tells the agent that created them', async () => {
    const told: Json[] = [];
    const inbox = fixture.connection.subscribe('agent.boss.inbox', {
      callback: (_, message) => {
        const items: Json[] = message.json<Json>().items;
        told.push(...items);
        message.respond(JSON.stringify({ ack: items.map(({ id }) => id) }));
      },
    });
    const parent = await parentHeldBy('boss');
    const tasks = [{ title: 'child' }, { title: 'kept', detached: true }];
    const { tasks: children } = await spawn('boss', parent, { tasks });
    await fixture.http('POST', `/v1/tasks/${parent.taskId}/cancel`, { reason: 'not needed' });
    await becomes(children[0].id, 'cancelled');
    expect(await statusOf(fixture, children[1].id)).toBe('queued');
    await until(() => told.some(({ taskId, status }) => taskId === children[0].id && status === 'cancelled'));
    await until(
      async () =>
        (await fixture.db.query(`SELECT 1 FROM agent_inbox WHERE agent_id = 'boss'`)).rowCount === 0,
    );
    inbox.unsubscribe();
  });

  it('keeps an end for an agent that is away, until it acknowledges it', async () => {
    const creator = await hello(fixture, 'away');
    const { tasks } = await fixture.ask('agent.away.call.create', { task: { title: 'for later' } });
    await fixture.ask('agent.away.goodbye', { epoch: creator.epoch, mode: 'leave' });
    await complete(tasks[0].id, 'worker');
    const { inbox } = await hello(fixture, 'away');
    expect(inbox).toMatchObject({ count: 1, items: [{ taskId: tasks[0].id, status: 'completed' }] });
    const ack = await fixture.ask('agent.away.call.ack', { ids: [inbox.items[0].id] });
    expect(ack).toEqual({ ok: true, acknowledged: 1 });
    expect((await fixture.ask('agent.away.call.inbox', {})).count).toBe(0);
  });

  it('refuses more children than a task may have', async () => {
    const parent = await parentHeldBy('prolific');
    const tasks = Array.from({ length: 101 }, () => ({ title: 'child' }));
    expect((await spawn('prolific', parent, { tasks })).error.code).toBe('DELEGATION_FANOUT');
  });
});
