import { randomUUID } from 'node:crypto';
import { until } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { archive, countArchived, everythingOf, restore } from './history.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
let epoch: number;
beforeAll(async () => {
  fixture = await startFixture();
  ({ epoch } = await hello(fixture, 'ada', { maxConcurrent: 100 }));
});
afterAll(() => fixture.close());

async function start(taskId: string): Promise<void> {
  await assign(fixture, taskId, 'ada');
  await verb(fixture, 'ada', 'start', { taskId, attempt: 1, epoch });
}

async function complete(taskId: string): Promise<void> {
  await verb(fixture, 'ada', 'progress', { taskId, attempt: 1, epoch, percent: 50, message: 'half of it' });
  await verb(fixture, 'ada', 'complete', { taskId, attempt: 1, epoch, result: { of: taskId } });
}

const cancel = (id: string) => fixture.http('POST', `/v1/tasks/${id}/cancel`, { reason: 'for the test' });

/** A task in progress with a child that waits. */
async function tree(): Promise<{ readonly root: string; readonly child: string }> {
  const root = await create(fixture, {
    title: 'Root',
    input: { 'é "quoted"': ['\\', 1.5] },
    tags: ['a', 'b'],
  });
  await start(root);
  const parent = { taskId: root, attempt: 1, epoch };
  const spawned = await fixture.ask('agent.ada.call.spawn', { parent, task: { title: 'Child' } });
  return { root, child: spawned.tasks[0].id };
}

const eventsOf = async (table: string, id: string): Promise<number> =>
  (await fixture.db.query(`SELECT count(*)::int AS n FROM ${table} WHERE task_id = $1`, [id])).rows[0].n;

const archiveNow = (hotSeconds?: number) => archive(fixture.databaseUrl, hotSeconds);

describe('the archive', () => {
  it('gives a task back without what it waited for and was deleted since', async () => {
    const gone = await create(fixture);
    const id = await create(fixture, { dependencies: [{ taskId: gone }] });
    for (const one of [id, gone]) await cancel(one);
    expect(await archiveNow()).toBe(2);
    expect((await fixture.http('DELETE', `/v1/tasks/${gone}`)).status).toBe(204);
    expect((await fixture.http('POST', `/v1/tasks/${id}/reopen`, {})).body.status).toBe('queued');
    const edges = await fixture.db.query('SELECT FROM task_dependencies WHERE task_id = $1', [id]);
    expect(edges.rowCount).toBe(0);
    await cancel(id);
    await archiveNow();
  });

  it('gives no task back while what it depends on is just being deleted', async () => {
    const needed = await create(fixture);
    const id = await create(fixture, { dependencies: [{ taskId: needed }] });
    for (const one of [id, needed]) await cancel(one);
    await until(async () => (await archiveNow()) + (await countArchived(fixture, [id, needed])) >= 2);
    await restore(fixture.databaseUrl, [needed]);
    await fixture.db.query('BEGIN');
    await fixture.db.query('DELETE FROM tasks WHERE id = $1', [needed]);
    await fixture.db.query('DELETE FROM task_dependencies WHERE depends_on = $1', [needed]);
    const early = await restore(fixture.databaseUrl, [id]).catch(({ code }: { code: string }) => code);
    await fixture.db.query('COMMIT');
    expect(early).toBe('55P03');
    await restore(fixture.databaseUrl, [id]);
    const edges = await fixture.db.query('SELECT FROM task_dependencies WHERE task_id = $1', [id]);
    expect(edges.rowCount).toBe(0);
    await archiveNow();
    await fixture.db.query('DELETE FROM task_events WHERE task_id = $1', [needed]);
  });

  it('is asked too who had a task, and takes the history of what was deleted', async () => {
    const [had, gone] = [await create(fixture), await create(fixture)];
    await start(had);
    await verb(fixture, 'ada', 'return', { taskId: had, attempt: 1, epoch, reason: 'declined' });
    for (const id of [had, gone]) await cancel(id);
    const ask = () => fixture.ask('agent.ada.call.get', { taskId: had });
    await fixture.db.query(`UPDATE tasks SET last_agent_id = 'bob' WHERE id = $1`, [had]);
    expect((await ask()).ok).toBe(true);
    expect((await fixture.http('DELETE', `/v1/tasks/${gone}`)).status).toBe(204);
    expect(await archiveNow(3_600)).toBe(0);
    expect(await eventsOf('task_events', gone)).toBe(3);
    expect(await archiveNow()).toBe(1);
    expect((await ask()).ok).toBe(true);
    expect((await fixture.ask('agent.stranger.call.get', { taskId: had })).ok).toBe(false);
    expect([await eventsOf('task_events', gone), await eventsOf('archived_task_events', gone)]).toEqual([
      0, 3,
    ]);
    await fixture.db.query(`UPDATE archived_tasks SET last_agent_id = 'ada' WHERE id = $1`, [had]);
  });

  it('takes a tree when all of it has ended long enough ago, and the API tells the same of it', async () => {
    const { root, child } = await tree();
    await complete(root);
    expect(await archiveNow()).toBe(0);
    await start(child);
    await complete(child);
    expect(await archiveNow(3_600)).toBe(0);
    const before = await Promise.all([root, child].map((id) => everythingOf(fixture, id)));
    expect(before.map(({ task }: Json) => task.archived)).toEqual([false, false]);
    expect(await archiveNow()).toBe(2);
    expect(await countArchived(fixture, [root, child])).toBe(2);
    const after = await Promise.all([root, child].map((id) => everythingOf(fixture, id)));
    const expected = before.map((one: Json) => ({ ...one, task: { ...one.task, archived: true } }));
    expect(after).toEqual(expected);
    expect(after[0].task.progress).toMatchObject({ percent: 50 });
    expect(after[0].history.data).toHaveLength(4);
    expect(await archiveNow()).toBe(0);

    await restore(fixture.databaseUrl, [child]);
    expect(await countArchived(fixture, [root, child])).toBe(0);
    expect(await Promise.all([root, child].map((id) => everythingOf(fixture, id)))).toEqual(before);
    expect(await archiveNow()).toBe(2);
  });

  it.each(['fail', 'ignore', 'wait'])(
    'leaves what an unfinished task depends on by "%s", and takes it when that has ended',
    async (policy) => {
      const dependency = await create(fixture);
      const other = await create(fixture);
      const dependent = await create(fixture, {
        dependencies: [{ taskId: dependency, policy }, { taskId: other }],
      });
      await start(dependency);
      await complete(dependency);
      const failing = policy === 'wait' ? [await create(fixture)] : [];
      const waiting = await Promise.all(
        failing.map((taskId) => create(fixture, { dependencies: [{ taskId, policy }] })),
      );
      await Promise.all(failing.map(cancel));
      expect(await archiveNow()).toBe(0);
      expect(await countArchived(fixture, [dependency, other, dependent, ...failing, ...waiting])).toBe(0);
      await Promise.all([other, dependent, ...waiting].map(cancel));
      expect(await archiveNow()).toBe(3 + failing.length * 2);
      const view = (await fixture.http('GET', `/v1/tasks/${dependent}`)).body;
      expect(view.dependencies.map(({ status }: Json) => status).toSorted()).toEqual([
        'cancelled',
        'completed',
      ]);
    },
  );

  it('tells a task that is hot how those stand that are archived', async () => {
    const [met, broken] = [await create(fixture), await create(fixture)];
    await start(met);
    await complete(met);
    await cancel(broken);
    expect(await archiveNow()).toBe(2);
    const dependent = (policy: string, taskId: string) =>
      create(fixture, { dependencies: [{ taskId, policy }] });
    const [ready, failing, waiting, ignoring] = await Promise.all([
      dependent('fail', met),
      dependent('fail', broken),
      dependent('wait', broken),
      dependent('ignore', broken),
    ]);
    expect(await statusOf(fixture, ready)).toBe('queued');
    expect(await statusOf(fixture, ignoring)).toBe('queued');
    expect(await statusOf(fixture, waiting)).toBe('blocked');
    const [ended] = await until(async () => {
      const { body } = await fixture.http('GET', `/v1/tasks/${failing}/history?after=1`);
      return body.data.length > 0 && body.data;
    });
    expect(ended).toMatchObject({ type: 'task.failed', reason: 'dependency_failed' });
    const told = (await fixture.http('GET', `/v1/tasks/${waiting}`)).body.dependencies;
    expect(told).toEqual([expect.objectContaining({ taskId: broken, status: 'cancelled' })]);
    const instance = randomUUID();
    await hello(fixture, 'eve', { instance });
    await assign(fixture, ready, 'eve');
    const { assignments } = await hello(fixture, 'eve', { instance });
    expect(assignments[0].dependencyResults).toMatchObject([{ taskId: met, result: { of: met } }]);
    await Promise.all([ready, waiting, ignoring].map(cancel));
    expect(await archiveNow()).toBe(4);
  });

  it('answers commands about what it has as about anything that has ended', async () => {
    const id = await create(fixture);
    await start(id);
    await complete(id);
    await archiveNow();
    const refused = await cancel(id);
    expect([refused.status, refused.body.code]).toEqual([409, 'TASK_STATE_CONFLICT']);
    const late = await verb(fixture, 'ada', 'complete', { taskId: id, attempt: 1, epoch, result: {} });
    expect(late.error.code).toBe('TASK_STATE_CONFLICT');
    const parent = { taskId: id, attempt: 1, epoch };
    const child = await fixture.ask('agent.ada.call.spawn', { parent, task: { title: 'Late' } });
    expect(child.error.code).toBe('TASK_STATE_CONFLICT');
    expect(await countArchived(fixture, [id])).toBe(1);
  });

  it('is listed by itself, by any filter, in the order of creation alone', async () => {
    const ids = [
      await create(fixture, { title: 'Listed one', type: 'listed' }),
      await create(fixture, { type: 'listed' }),
    ];
    const list = async (query: string) => {
      const { status, body } = await fixture.http('GET', `/v1/tasks?${query}`);
      return status === 200 ? body.data.map(({ id }: Json) => id) : body.code;
    };
    await Promise.all(ids.map(cancel));
    expect(await list('archived=true&type=listed')).toEqual([]);
    await archiveNow();
    expect(await list('type=listed')).toEqual([]);
    expect(await list('archived=true&type=listed')).toEqual(ids.toReversed());
    expect(await list('archived=true&type=listed&status=cancelled&sort=createdAt&limit=1')).toEqual([ids[0]]);
    expect(await list('archived=true&q=%22listed+one%22')).toEqual([ids[0]]);
    expect(await list('archived=true&sort=priority')).toBe('QUERY_NOT_SUPPORTED');
    const count = async (query: string) => (await fixture.http('GET', `/v1/tasks/count?${query}`)).body;
    expect(await count('type=listed')).toEqual({ count: 0, approximate: false });
    expect(await count('archived=true&type=listed')).toEqual({ count: 2, approximate: false });
    expect((await count('archived=maybe')).code).toBe('VALIDATION_FAILED');
  });

  it('is listed for an agent as far as that is its own', async () => {
    await hello(fixture, 'lister');
    await create(fixture, { type: 'agents' }).then(cancel);
    const { tasks } = await fixture.ask('agent.lister.call.create', {
      task: { title: 'own', type: 'agents' },
    });
    await cancel(tasks[0].id);
    const list = async (body: object) =>
      (await fixture.ask('agent.lister.call.list', { q: 'type:agents', ...body })).data.map(
        ({ id }: Json) => id,
      );
    expect(await list({ archived: true })).toEqual([]);
    await archiveNow();
    expect(await list({})).toEqual([]);
    expect(await list({ archived: true })).toEqual([tasks[0].id]);
  });

  it('gives a task back to be reopened or deleted, with its tree', async () => {
    const { root, child } = await tree();
    await Promise.all([complete(root), cancel(child)]);
    const lone = await create(fixture);
    await cancel(lone);
    expect(await archiveNow()).toBe(3);
    const reopened = await fixture.http('POST', `/v1/tasks/${child}/reopen`, { priority: 1 });
    expect([reopened.status, reopened.body.status]).toEqual([200, 'queued']);
    expect(await countArchived(fixture, [root, child])).toBe(0);
    expect((await everythingOf(fixture, child)).history.data).toHaveLength(3);
    await cancel(child);
    expect((await fixture.http('DELETE', `/v1/tasks/${lone}`)).status).toBe(204);
    expect((await fixture.http('GET', `/v1/tasks/${lone}`)).status).toBe(404);
    // The root goes first: the rest of the tree is archived without it.
    expect((await fixture.http('DELETE', `/v1/tasks/${root}`)).status).toBe(204);
    expect(await archiveNow()).toBe(1);
    expect(await countArchived(fixture, [child])).toBe(1);
  });

  it('does not wait for a task that somebody has locked, and comes back for its tree', async () => {
    const { root, child } = await tree();
    await Promise.all([complete(root), cancel(child)]);
    const free = await create(fixture);
    await cancel(free);
    await fixture.db.query('BEGIN');
    await fixture.db.query('SELECT FROM tasks WHERE id = $1 FOR KEY SHARE', [child]);
    expect(await archiveNow()).toBe(1);
    expect(await countArchived(fixture, [root, child, free])).toBe(1);
    await fixture.db.query('COMMIT');
    expect(await archiveNow()).toBe(2);
  });

  it('has only histories that agree with their tasks', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(10);
  });
});
