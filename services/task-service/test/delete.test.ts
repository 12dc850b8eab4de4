import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type HttpAnswer } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

const remove = (taskId: string, headers = {}): Promise<HttpAnswer> =>
  fixture.http('DELETE', `/v1/tasks/${taskId}`, undefined, headers);
const say = (taskId: string, word: string) => fixture.http('POST', `/v1/tasks/${taskId}/${word}`, {});
const count = async (table: string, column: string, id: string): Promise<number> =>
  (await fixture.db.query(`SELECT count(*)::int AS n FROM ${table} WHERE ${column} = $1`, [id])).rows[0].n;

async function cancelled(body: object = {}): Promise<string> {
  const taskId = await create(fixture, body);
  await say(taskId, 'cancel');
  return taskId;
}

describe('a delete', () => {
  it('removes what has ended with its payload, and leaves its history and a tombstone', async () => {
    const { epoch } = await hello(fixture, 'worker');
    const taskId = await create(fixture, { input: { secret: 1 }, tags: ['x'] });
    const { attempt } = await assign(fixture, taskId, 'worker');
    const hold = { taskId, attempt, epoch };
    await verb(fixture, 'worker', 'start', hold);
    await verb(fixture, 'worker', 'progress', { ...hold, percent: 5 });
    expect((await remove(taskId)).body.code).toBe('TASK_STATE_CONFLICT');
    await verb(fixture, 'worker', 'complete', hold);
    expect((await remove(taskId, { 'if-match': '"v1"' })).status).toBe(412);
    expect((await remove(taskId)).status).toBe(204);
    expect((await fixture.http('GET', `/v1/tasks/${taskId}`)).body.code).toBe('TASK_NOT_FOUND');
    expect((await remove(taskId)).body.code).toBe('TASK_NOT_FOUND');
    expect((await verb(fixture, 'worker', 'complete', hold)).error.code).toBe('TASK_NOT_FOUND');
    for (const table of ['task_progress', 'task_tags', 'task_dependencies'])
      expect(await count(table, 'task_id', taskId)).toBe(0);
    const events = await fixture.db.query(
      'SELECT version, event_type FROM task_events WHERE task_id = $1 ORDER BY version DESC LIMIT 1',
      [taskId],
    );
    expect(events.rows).toEqual([{ version: 5, event_type: 'task.deleted' }]);
    const { rows } = await fixture.db.query(
      `SELECT actor, detail FROM audit_log WHERE subject = $1 AND action = 'task.delete'`,
      [taskId],
    );
    expect(rows).toMatchObject([{ actor: 'user:local', detail: { status: 'completed', version: 5 } }]);
  });

  it('takes what is held back, and what waits for nothing any more', async () => {
    expect((await remove(await create(fixture, { hold: true }))).status).toBe(204);
    const dependency = await cancelled();
    const dependent = await create(fixture, { dependencies: [{ taskId: dependency }] });
    await until(async () => (await statusOf(fixture, dependent)) === 'failed');
    expect((await remove(dependency)).status).toBe(204);
    expect((await say(dependent, 'reopen')).body.status).toBe('queued');
  });

  it('is refused while others wait for it or children live', async () => {
    const dependency = await create(fixture, { hold: true });
    const dependent = await create(fixture, { dependencies: [{ taskId: dependency }] });
    expect((await remove(dependency)).body.code).toBe('TASK_HAS_DEPENDENTS');
    await say(dependent, 'cancel');
    expect((await remove(dependency)).status).toBe(204);
    const { epoch } = await hello(fixture, 'parent');
    const parentId = await create(fixture);
    const { attempt } = await assign(fixture, parentId, 'parent');
    const parent = { taskId: parentId, attempt, epoch };
    await verb(fixture, 'parent', 'start', parent);
    const task = { title: 'child' };
    const child = (await fixture.ask('agent.parent.call.spawn', { task, parent })).tasks[0].id;
    await verb(fixture, 'parent', 'complete', parent);
    expect((await remove(parentId)).body.code).toBe('TASK_HAS_DEPENDENTS');
    await say(child, 'cancel');
    expect((await remove(parentId)).status).toBe(204);
    expect((await remove(child)).status).toBe(204);
  });

  it('is answered again with its key, and to the agent that created the task with its command id', async () => {
    const key = { 'idempotency-key': 'gone' };
    const taskId = await cancelled();
    expect((await remove(taskId, key)).status).toBe(204);
    const again = await remove(taskId, key);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([204, 'true']);
    await hello(fixture, 'author');
    const { tasks } = await fixture.ask('agent.author.call.create', { task: { title: 'x', hold: true } });
    const call = { taskId: tasks[0].id, commandId: '0193a1c5-0005-7000-8000-000000000008' };
    expect(await fixture.ask('agent.author.call.delete', call)).toMatchObject({ ok: true, version: 2 });
  });

  it('races creates of dependents: the task is gone or waited for, never both', async () => {
    let gone = 0;
    for (let round = 0; round < 15; round += 1) {
      const dependency = await create(fixture, { hold: true });
      const body = { title: 'dependent', dependencies: [{ taskId: dependency }] };
      const [removed, ...created] = await Promise.all([
        remove(dependency),
        ...Array.from({ length: 4 }, () => fixture.http('POST', '/v1/tasks', body)),
      ]);
      const isGone = removed.status === 204;
      gone += isGone ? 1 : 0;
      if (!isGone) expect(removed.body.code).toBe('TASK_HAS_DEPENDENTS');
      const dependents = created.filter(({ status }) => status === 201);
      if (isGone) expect(dependents).toEqual([]);
      expect(await count('tasks', 'id', dependency)).toBe(isGone ? 0 : 1);
      expect(await count('task_dependencies', 'depends_on', dependency)).toBe(dependents.length);
    }
    expect(gone).toBeLessThan(15);
  });
});

describe('afterwards', () => {
  it('every task replays from its history', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(3);
  });
});
