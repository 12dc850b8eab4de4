import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
  for (const agentId of ['author', 'stranger']) await hello(fixture, agentId);
});
afterAll(() => fixture.close());

const call = (agentId: string, word: string, body: object): Promise<Json> =>
  fixture.ask(`agent.${agentId}.call.${word}`, body);
const codeOf = async (answer: Promise<Json>) => (await answer).error?.code;

async function own(body: object = {}): Promise<string> {
  const { tasks } = await call('author', 'create', { task: { title: 'own', ...body } });
  return tasks[0].id;
}

/** A task of the author that a worker has blocked for something outside. */
async function waitingOutside(): Promise<string> {
  const taskId = await own();
  const worker = `worker-${taskId.slice(-6)}`;
  const { epoch } = await hello(fixture, worker);
  const { attempt } = await assign(fixture, taskId, worker);
  const block = { taskId, attempt, epoch, reason: 'external', question: 'the parcel' };
  expect(await verb(fixture, worker, 'block', block)).toMatchObject({ status: 'blocked' });
  return taskId;
}

describe('edges over NATS', () => {
  it('are refused to others, to what is not theirs to see, and where tasks would wait for each other', async () => {
    const [task, other, foreign] = [await own(), await own(), await create(fixture)];
    const edge = { taskId: task, dependsOn: other };
    expect(await codeOf(call('stranger', 'link', edge))).toBe('TASK_NOT_FOUND');
    expect(await codeOf(call('stranger', 'unlink', edge))).toBe('TASK_NOT_FOUND');
    for (const dependsOn of [foreign, randomUUID()])
      expect(await codeOf(call('author', 'link', { taskId: task, dependsOn }))).toBe('DEPENDENCY_NOT_FOUND');
    expect(await codeOf(call('author', 'link', { ...edge, version: 7 }))).toBe('VERSION_MISMATCH');
    expect(await codeOf(call('author', 'link', { ...edge, policy: 'maybe' }))).toBe('VALIDATION_FAILED');
    expect((await call('author', 'link', edge)).ok).toBe(true);
    const back = await call('author', 'link', { taskId: other, dependsOn: task });
    expect(back.error).toMatchObject({ code: 'DEPENDENCY_CYCLE', details: { path: [other, task, other] } });
    // It sees the task it works on, which does not make it its creator.
    const { epoch } = await hello(fixture, 'stranger');
    const { attempt } = await assign(fixture, other, 'stranger');
    expect(await codeOf(call('stranger', 'unlink', { taskId: other, dependsOn: task }))).toBe('FORBIDDEN');
    await verb(fixture, 'stranger', 'start', { taskId: other, attempt, epoch });
    const started = call('author', 'link', { taskId: other, dependsOn: await own() });
    expect(await codeOf(started)).toBe('TASK_STATE_CONFLICT');
  });

  it('are put and taken by the creator, once with one command id', async () => {
    const [task, other] = [await own(), await own()];
    const edge = { taskId: task, dependsOn: other };
    const said = { ...edge, policy: 'wait', name: 'outline', version: 1, commandId: randomUUID() };
    const linked = await call('author', 'link', said);
    expect(linked).toMatchObject({ ok: true, status: 'blocked', version: 2 });
    expect(await call('author', 'link', said)).toEqual(linked);
    const { body } = await fixture.http('GET', `/v1/tasks/${task}`);
    expect(body.dependencies).toEqual([{ taskId: other, policy: 'wait', name: 'outline', status: 'queued' }]);
    expect(await call('author', 'unlink', edge)).toMatchObject({ status: 'queued', version: 3 });
  });

  it('over HTTP are put and taken only at the version the caller read', async () => {
    const [task, other] = [await create(fixture), await create(fixture)];
    const path = `/v1/tasks/${task}/dependencies/${other}`;
    const put = (version: string) => fixture.http('PUT', path, {}, { 'if-match': version });
    expect((await put('"v9"')).status).toBe(412);
    expect((await put('"v1"')).body).toMatchObject({ status: 'blocked', version: 2 });
    expect((await fixture.http('DELETE', path, undefined, { 'if-match': '"v1"' })).status).toBe(412);
    expect((await fixture.http('DELETE', path, undefined, { 'if-match': '"v2"' })).status).toBe(200);
  });
});

describe('what a new task of an agent may depend on', () => {
  const holdOf = async (taskId: string, agentId: string): Promise<Json> => {
    const { epoch } = await hello(fixture, agentId);
    const { attempt } = await assign(fixture, taskId, agentId);
    const hold = { taskId, attempt, epoch };
    await verb(fixture, agentId, 'start', hold);
    return hold;
  };
  const dependOn = (agentId: string, dependsOn: string, more: object = {}) =>
    call(agentId, 'create', { task: { title: 'x', dependencies: [{ taskId: dependsOn }] }, ...more });
  const spawn = async (agentId: string, parent: Json): Promise<string> =>
    (await call(agentId, 'spawn', { task: { title: 'child' }, parent })).tasks[0].id;

  it('is what it may read, by whatever relation, and nothing else', async () => {
    const root = await create(fixture);
    const boss = await holdOf(root, 'boss');
    const [mine, sibling] = [await spawn('boss', boss), await spawn('boss', boss)];
    const kid = await holdOf(mine, 'kid');
    const below = await spawn('kid', kid);
    expect((await dependOn('boss', below)).ok).toBe(true);
    for (const more of [{}, { parent: kid }])
      expect(await codeOf(dependOn('kid', sibling, more))).toBe('DEPENDENCY_NOT_FOUND');
    await verb(fixture, 'kid', 'return', { ...kid, reason: 'declined' });
    await holdOf(mine, 'successor');
    expect((await dependOn('kid', mine)).ok).toBe(true);
    expect(await codeOf(dependOn('stranger', mine))).toBe('DEPENDENCY_NOT_FOUND');
  });

  it('is asked once: with its key a create is answered again though the task is gone', async () => {
    const gone = await own({ hold: true });
    const more = { idempotencyKey: 'gone-since' };
    const first = await dependOn('author', gone, more);
    await fixture.http('POST', `/v1/tasks/${first.tasks[0].id}/cancel`, {});
    await fixture.http('DELETE', `/v1/tasks/${gone}`);
    expect(await dependOn('author', gone, more)).toMatchObject({
      replayed: true,
      tasks: [{ id: first.tasks[0].id }],
    });
  });
});

describe('what happened outside', () => {
  it('is told by the creator, and by no other agent', async () => {
    const taskId = await waitingOutside();
    expect(await codeOf(call('stranger', 'unblock', { taskId }))).toBe('TASK_NOT_FOUND');
    expect(await codeOf(call(`worker-${taskId.slice(-6)}`, 'unblock', { taskId }))).toBe('FORBIDDEN');
    const told = { taskId, answer: { parcel: 7 }, commandId: randomUUID() };
    const first = await call('author', 'unblock', told);
    expect(first).toMatchObject({ ok: true, status: 'queued' });
    expect(await call('author', 'unblock', told)).toEqual(first);
    expect(await codeOf(call('author', 'unblock', { taskId }))).toBe('TASK_STATE_CONFLICT');
    const { body } = await fixture.http('GET', `/v1/tasks/${taskId}`);
    expect(body.questions).toMatchObject([{ answer: { parcel: 7 }, answeredBy: 'agent:author' }]);
  });

  it('does not free what waits for other tasks', async () => {
    const taskId = await own({ dependencies: [{ taskId: await own() }] });
    expect(await codeOf(call('author', 'unblock', { taskId }))).toBe('TASK_STATE_CONFLICT');
  });
});

describe('a delete over NATS', () => {
  it('that is repeated is answered like the first, and to nobody else', async () => {
    const taskId = await own({ hold: true });
    const said = { taskId, commandId: randomUUID() };
    const first = await call('author', 'delete', said);
    expect(first).toMatchObject({ ok: true, taskId, status: 'created', version: 2 });
    expect(await call('author', 'delete', said)).toEqual(first);
    expect(await codeOf(call('stranger', 'delete', said))).toBe('TASK_NOT_FOUND');
    expect(await codeOf(call('author', 'delete', { taskId }))).toBe('TASK_NOT_FOUND');
  });
});

describe('children an agent creates over HTTP', () => {
  it('are checked by the fence of its hold, which it must show; a holder of before gets none', async () => {
    const said = { name: 'spawner', role: 'agent', agentId: 'spawner' };
    const { key } = (await fixture.http('POST', '/v1/keys', said)).body;
    const parent = await create(fixture);
    const { epoch } = await hello(fixture, 'spawner');
    expect((await assign(fixture, parent, 'spawner')).ok).toBe(true);
    const hold = { agentId: 'spawner', attempt: 1, epoch };
    expect((await verb(fixture, 'spawner', 'start', { taskId: parent, attempt: 1, epoch })).ok).toBe(true);
    const spawn = async (fence: object, headers = {}) => {
      const body = { task: { title: 'a child' }, ...fence };
      return fixture.http('POST', `/v1/tasks/${parent}/spawn`, body, {
        authorization: `Bearer ${key}`,
        ...headers,
      });
    };
    const bare = await spawn({});
    expect([bare.status, bare.body.errors[0].pointer]).toEqual([400, '/attempt']);
    expect((await spawn({ agentId: 'spawner', attempt: 1 })).status).toBe(400);
    expect((await spawn({ ...hold, attempt: 2 })).body.code).toBe('STALE_ATTEMPT');
    expect((await spawn({ ...hold, epoch: epoch + 1 })).body.code).toBe('STALE_SESSION');
    expect((await spawn({ ...hold, agentId: 'another' })).body.code).toBe('FORBIDDEN');
    const first = await spawn(hold, { 'idempotency-key': 'plan' });
    const again = await spawn(hold, { 'idempotency-key': 'plan' });
    expect([first.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    // A key that stands for something else the agent created forgives nothing.
    const elsewhere = { task: { title: 'elsewhere' }, idempotencyKey: 'elsewhere' };
    expect((await fixture.ask('agent.spawner.call.create', elsewhere)).ok).toBe(true);
    const unknown = { ...hold, task: { title: 'a child', criteria: { policy: 'unheard-of' } } };
    expect((await spawn(unknown, { 'idempotency-key': 'elsewhere' })).status).toBe(400);
    // Another process of the agent: what the one before would spawn is refused, though the agent has the task.
    await hello(fixture, 'spawner');
    expect([403, 404, 409]).toContain((await spawn(hold)).status);
    const { body } = await fixture.http('GET', `/v1/tasks/${parent}/subtasks`);
    expect(body.data.map(({ id }: Json) => id)).toEqual(first.body.tasks.map(({ id }: Json) => id));
  });
});

describe('children an operator creates', () => {
  const spawn = (parent: string, body: object, headers = {}) =>
    fixture.http('POST', `/v1/tasks/${parent}/spawn`, body, headers);

  it('are refused where a holder’s would be, and where the request says none or two ways', async () => {
    const task = { title: 'a child' };
    expect((await spawn(randomUUID(), { task })).body.code).toBe('TASK_NOT_FOUND');
    const ended = await create(fixture);
    await fixture.http('POST', `/v1/tasks/${ended}/cancel`, {});
    expect((await spawn(ended, { task })).body.code).toBe('TASK_STATE_CONFLICT');
    const parent = await create(fixture);
    const budgeted = await spawn(parent, { task: { ...task, budget: { maxTasks: 2 } } });
    expect(budgeted.body.code).toBe('VALIDATION_FAILED');
    expect((await spawn(parent, { task, tasks: [task] })).status).toBe(400);
    expect((await spawn(parent, {})).status).toBe(400);
    const many = Array.from({ length: 101 }, () => task);
    expect((await spawn(parent, { tasks: many })).body.code).toBe('DELEGATION_FANOUT');
    expect((await fixture.http('GET', `/v1/tasks/${parent}/subtasks`)).body.data).toEqual([]);
  });

  it('are below the task, one, many or a graph, and the same again with the same key alone', async () => {
    const parent = await create(fixture);
    const key = { 'idempotency-key': 'children' };
    const graph = {
      tasks: [
        { ref: 'a', title: 'a' },
        { ref: 'b', title: 'b', dependencies: [{ ref: 'a' }] },
      ],
    };
    const first = await spawn(parent, { graph }, key);
    expect([first.status, first.body.tasks.map(({ status }: Json) => status)]).toEqual([
      201,
      ['queued', 'blocked'],
    ]);
    const again = await spawn(parent, { graph }, key);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.body.tasks.map(({ id }: Json) => id)).toEqual(first.body.tasks.map(({ id }: Json) => id));
    expect((await spawn(parent, { task: { title: 'other' } }, key)).body.code).toBe('IDEMPOTENCY_MISMATCH');
    expect((await spawn(parent, { task: { title: 'one' } })).status).toBe(201);
    const { body } = await fixture.http('GET', `/v1/tasks/${parent}/subtasks`);
    expect(body.data).toHaveLength(3);
    await fixture.http('POST', `/v1/tasks/${parent}/cancel`, {});
  });
});

describe('afterwards', () => {
  it('every task replays from its history', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(8);
    expect(await statusOf(fixture, await own())).toBe('queued');
  });
});
