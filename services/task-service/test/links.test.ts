import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type HttpAnswer, type Json } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
let epoch: number;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
  ({ epoch } = await hello(fixture, 'worker', { maxConcurrent: 1_000 }));
});
afterAll(() => fixture.close());

const link = (id: string, other: string, body?: object): Promise<HttpAnswer> =>
  fixture.http('PUT', `/v1/tasks/${id}/dependencies/${other}`, body);
const unlink = (id: string, other: string): Promise<HttpAnswer> =>
  fixture.http('DELETE', `/v1/tasks/${id}/dependencies/${other}`);
const read = async (taskId: string) => (await fixture.http('GET', `/v1/tasks/${taskId}`)).body;
const becomes = (taskId: string, status: string, timeoutMs = 10_000) =>
  until(async () => (await statusOf(fixture, taskId)) === status, {
    timeoutMs,
    describe: `${taskId} becomes ${status}`,
  });

async function start(taskId: string): Promise<Json> {
  const { attempt } = await assign(fixture, taskId, 'worker');
  await verb(fixture, 'worker', 'start', { taskId, attempt, epoch });
  return { taskId, attempt, epoch };
}

async function end(taskId: string, word: 'complete' | 'fail'): Promise<void> {
  const said = { error: { message: 'broken', retryable: false }, result: null };
  expect(await verb(fixture, 'worker', word, { ...(await start(taskId)), ...said })).toMatchObject({
    ok: true,
  });
}

describe('a dependency of a live task', () => {
  it('keeps it from starting until it is met, or taken away again', async () => {
    const [first, second, task] = [await create(fixture), await create(fixture), await create(fixture)];
    expect((await link(task, first, { name: 'first' })).body).toMatchObject({
      status: 'blocked',
      version: 2,
    });
    const again = await link(task, first, { name: 'first' });
    expect([again.body.version, again.headers.get('etag')]).toEqual([2, '"v2"']);
    expect((await link(task, second)).body).toMatchObject({ status: 'blocked', version: 3 });
    expect((await assign(fixture, task, 'worker')).error.code).toBe('TASK_STATE_CONFLICT');
    await end(first, 'complete');
    expect((await unlink(task, second)).body).toMatchObject({ status: 'queued' });
    expect((await unlink(task, second)).body).toMatchObject({ status: 'queued' });
    const { body } = await fixture.http('GET', `/v1/tasks/${task}/history`);
    expect(body.data.map(({ type, reason }: Json) => [type, reason])).toEqual([
      ['task.created', 'created'],
      ['task.blocked', 'dependency'],
      ['task.updated', 'dependency'],
      ['task.queued', 'unblocked'],
    ]);
    expect(body.data[1].data).toMatchObject({ linked: { taskId: first, policy: 'fail', name: 'first' } });
    expect((await read(task)).dependencies).toEqual([
      { taskId: first, policy: 'fail', name: 'first', status: 'completed' },
    ]);
  });

  it('changes nothing for one that is met already, and ends one whose policy says so', async () => {
    const [done, broken] = [await create(fixture), await create(fixture)];
    await end(done, 'complete');
    await end(broken, 'fail');
    const task = await create(fixture);
    expect((await link(task, done)).body).toMatchObject({ status: 'queued', version: 2 });
    expect((await link(task, broken, { policy: 'ignore' })).body).toMatchObject({ status: 'queued' });
    expect((await link(task, broken, { policy: 'wait' })).body).toMatchObject({ status: 'blocked' });
    expect((await link(task, broken, { policy: 'cancel' })).body).toMatchObject({ status: 'blocked' });
    await becomes(task, 'cancelled');
    expect((await read(task)).statusReason).toBe('dependency_failed');
  });

  it('is refused on a task that has started or ended, on itself, and on one that is not there', async () => {
    const [other, started, ended] = [await create(fixture), await create(fixture), await create(fixture)];
    await start(started);
    await end(ended, 'complete');
    for (const id of [started, ended]) {
      for (const answer of [await link(id, other), await unlink(id, other)]) {
        expect([answer.status, answer.body.code]).toEqual([409, 'TASK_STATE_CONFLICT']);
      }
    }
    expect((await link(other, other)).body).toMatchObject({
      code: 'DEPENDENCY_CYCLE',
      details: { path: [other, other] },
    });
    const missing = '01900000-0000-7000-8000-000000000000';
    expect((await link(other, missing)).body.code).toBe('DEPENDENCY_NOT_FOUND');
    expect((await link(missing, other)).body.code).toBe('TASK_NOT_FOUND');
    expect((await read(other)).version).toBe(1);
  });

  it('is refused with the way when it would close a cycle, however long', async () => {
    const ids = [await create(fixture)];
    for (let index = 0; index < 5; index++) {
      ids.push(await create(fixture, { dependencies: [{ taskId: ids.at(-1) }] }));
    }
    const [first = '', last = ''] = [ids[0], ids.at(-1)];
    const refused = await link(first, last);
    expect([refused.status, refused.body.code]).toEqual([422, 'DEPENDENCY_CYCLE']);
    expect(refused.body.details.path).toEqual([first, ...ids.toReversed()]);
    expect(await statusOf(fixture, first)).toBe('queued');
  });

  it('is refused once of two that only together close a cycle, in whichever replica', async () => {
    const rounds = Array.from({ length: 40 }, async () => {
      const [a, b] = [await create(fixture), await create(fixture)];
      const [there, back] = await Promise.all([link(a, b), link(b, a)]);
      const codes = [there, back].map(({ status, body }) => body.code ?? String(status));
      expect(new Set(codes)).toEqual(new Set(['200', 'DEPENDENCY_CYCLE']));
      const [first, second] = there.status === 200 ? [a, b] : [b, a];
      const path = [there, back].find(({ body }) => body.code)?.body.details.path;
      expect(path).toEqual([second, first, second]);
    });
    await Promise.all(rounds);
    expect(rounds).toHaveLength(40);
  });

  it('is refused once when its parent begins to wait for its children meanwhile', async () => {
    const rounds = Array.from({ length: 20 }, async () => {
      const parent = await start(await create(fixture));
      const { tasks } = await fixture.ask('agent.worker.call.spawn', { parent, task: { title: 'child' } });
      const [linked, blocked] = await Promise.all([
        link(tasks[0].id, parent.taskId),
        verb(fixture, 'worker', 'block', { ...parent, reason: 'children', children: 'all' }),
      ]);
      const codes = [linked.body.code, blocked.error?.code];
      expect(codes.filter((code) => code !== undefined)).toEqual(['DEPENDENCY_CYCLE']);
    });
    await Promise.all(rounds);
    expect(rounds).toHaveLength(20);
  });
});

describe('a broken chain', () => {
  it('of 10,000 tasks fails from end to end, and none of them waits on', async () => {
    const tasks = Array.from({ length: 10_000 }, (_, index) => ({
      ref: `t${index}`,
      title: 't',
      dependencies: index === 0 ? [] : [{ ref: `t${index - 1}` }],
    }));
    const { body } = await fixture.http('POST', '/v1/tasks/graph', { tasks });
    const [first] = body.tasks;
    await fixture.http('POST', `/v1/tasks/${first.id}/cancel`, {});
    await becomes(body.tasks.at(-1).id, 'failed', 60_000);
    const { rows } = await fixture.db.query(
      `SELECT status, status_reason AS reason, count(*)::int AS n FROM tasks WHERE id = ANY($1) GROUP BY 1, 2 ORDER BY 3`,
      [body.tasks.map(({ id }: Json) => id)],
    );
    expect(rows).toEqual([
      { status: 'cancelled', reason: 'requested', n: 1 },
      { status: 'failed', reason: 'dependency_failed', n: 9_999 },
    ]);
  }, 90_000);
});

describe('the relatives of a task', () => {
  it('are told in pages, the root of a tree first', async () => {
    const root = await start(await create(fixture, { title: 'root' }));
    const spawn = async (parent: Json, titles: readonly string[]) => {
      const tasks = titles.map((title) => ({ title }));
      const answer = await fixture.ask('agent.worker.call.spawn', { parent, tasks });
      return answer.tasks.map(({ id }: Json) => id as string) as readonly string[];
    };
    const children = await spawn(root, ['a', 'b', 'c']);
    const grandchildren = await spawn(await start(children[0] ?? ''), ['d', 'e']);
    const task = await create(fixture, { dependencies: children.map((taskId) => ({ taskId })) });
    const walk = async (path: string, limit: number) => {
      const seen: Json[] = [];
      for (let cursor = ''; ;) {
        const answer = await fixture.http('GET', `/v1/tasks/${path}?limit=${limit}${cursor}`);
        expect(answer.body.data.length).toBeLessThanOrEqual(limit);
        seen.push(...answer.body.data);
        if (!answer.body.page.hasMore) return seen;
        cursor = `&cursor=${answer.body.page.next}`;
      }
    };
    const ids = (items: readonly Json[]) => items.map(({ id }) => id);
    expect(ids(await walk(`${root.taskId}/subtasks`, 2))).toEqual(children.toSorted());
    const tree = [root.taskId, ...[...children, ...grandchildren].toSorted()];
    for (const limit of [1, 2, 100]) expect(ids(await walk(`${root.taskId}/tree`, limit))).toEqual(tree);
    expect(ids(await walk(`${grandchildren[1]}/tree`, 4))).toEqual(tree);
    const dependencies = await walk(`${task}/dependencies`, 2);
    expect(dependencies.map(({ taskId }) => taskId)).toEqual(children.toSorted());
    expect(dependencies[0]).toMatchObject({ policy: 'fail', name: null, title: expect.any(String) });
    const elsewhere = (await fixture.http('GET', `/v1/tasks/${root.taskId}/tree?limit=1`)).body.page.next;
    const refused = await fixture.http(
      'GET',
      `/v1/tasks/${root.taskId}/subtasks?limit=1&cursor=${elsewhere}`,
    );
    expect(refused.body.code).toBe('VALIDATION_FAILED');
  });
});

describe('afterwards', () => {
  it('every task replays from its history', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(10_000);
  });
});
