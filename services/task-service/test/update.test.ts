import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const read = async (taskId: string): Promise<Json> => (await fixture.http('GET', `/v1/tasks/${taskId}`)).body;
const patch = (taskId: string, body: object, headers = {}) =>
  fixture.http('PATCH', `/v1/tasks/${taskId}`, body, headers);
const put = (taskId: string, body: object, headers = {}) =>
  fixture.http('PUT', `/v1/tasks/${taskId}`, body, headers);
const sha256 = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

describe('a patch', () => {
  it('changes what it names, tells it in the history, and leaves the rest', async () => {
    const taskId = await create(fixture, {
      tags: ['old'],
      timeout: 60,
      input: { url: 'a', options: { deep: 1, gone: 2 } },
    });
    const changes = {
      title: 'Another title',
      tags: ['new'],
      timeout: null,
      input: { options: { gone: null, added: [1] } },
    };
    const { status, body, headers } = await patch(taskId, changes);
    expect([status, headers.get('etag')]).toEqual([200, '"v2"']);
    expect(body).toEqual({ id: taskId, status: 'queued', attempt: 0, version: 2 });
    const input = { url: 'a', options: { deep: 1, added: [1] } };
    expect(await read(taskId)).toMatchObject({
      title: 'Another title',
      tags: ['new'],
      timeout: null,
      priority: 3,
      input,
    });
    const { body: history } = await fixture.http('GET', `/v1/tasks/${taskId}/history?after=1`);
    expect(history.data).toMatchObject([{ type: 'task.updated', actor: 'user:local', version: 2 }]);
    expect(history.data[0].data).toEqual({
      changes: { title: 'Another title', tags: ['new'], timeout: null },
      inputSha256: sha256(input),
    });
  });

  it('that changes nothing makes no version', async () => {
    const taskId = await create(fixture, { priority: 2, input: { a: 1 } });
    expect((await patch(taskId, { priority: 2, input: { a: 1 } })).body.version).toBe(1);
    expect((await patch(taskId, {})).body.version).toBe(1);
  });

  it('of the priority moves it in the backlog, counted from when it first became ready', async () => {
    const taskId = await create(fixture, { priority: 5 });
    const { firstQueuedAt } = await read(taskId);
    await patch(taskId, { priority: 1 });
    const { rows } = await fixture.db.query('SELECT queue_key::float8 FROM tasks WHERE id = $1', [taskId]);
    expect(rows[0].queue_key).toBe(Date.parse(firstQueuedAt));
    expect((await read(taskId)).firstQueuedAt).toBe(firstQueuedAt);
  });

  it('of what it needs moves it to another class, where an older decision about it does not count', async () => {
    await hello(fixture, 'able', { capabilities: [{ name: 'rare', level: 1 }] });
    const taskId = await create(fixture);
    const classOf = async () =>
      (await fixture.db.query('SELECT backlog_class, needs_class FROM tasks WHERE id = $1', [taskId]))
        .rows[0];
    const before = await classOf();
    await patch(taskId, { requiredCapabilities: [{ name: 'rare' }] });
    const after = await classOf();
    expect(after.backlog_class).not.toBe(before.backlog_class);
    expect(after.backlog_class).toBe(after.needs_class);
    const decided = { version: 1 };
    expect((await assign(fixture, taskId, 'able', decided)).error.code).toBe('VERSION_MISMATCH');
    expect(await assign(fixture, taskId, 'able', { version: 2 })).toMatchObject({ ok: true });
  });

  it('sets when it becomes available, and takes that back', async () => {
    const taskId = await create(fixture);
    const availableAt = new Date(Date.now() + 3_600_000).toISOString();
    await patch(taskId, { availableAt });
    expect(await read(taskId)).toMatchObject({ availableAt, status: 'queued' });
    await hello(fixture, 'eager');
    expect((await assign(fixture, taskId, 'eager')).error.code).toBe('TASK_STATE_CONFLICT');
    await patch(taskId, { availableAt: null });
    expect(await assign(fixture, taskId, 'eager')).toMatchObject({ ok: true });
    expect((await patch(taskId, { availableAt })).body.code).toBe('TASK_STATE_CONFLICT');
  });

  it('reaches a task in progress without touching the work on it', async () => {
    const { epoch } = await hello(fixture, 'working');
    const taskId = await create(fixture);
    const { attempt } = await assign(fixture, taskId, 'working');
    await verb(fixture, 'working', 'start', { taskId, attempt, epoch });
    expect((await patch(taskId, { priority: 1, timeout: 3_600 })).body).toMatchObject({
      status: 'in_progress',
      version: 4,
    });
    const done = await verb(fixture, 'working', 'complete', { taskId, attempt, epoch, result: 1 });
    expect(done).toMatchObject({ ok: true, version: 5 });
    expect((await patch(taskId, { priority: 2 })).body.code).toBe('TASK_STATE_CONFLICT');
  });
});

describe('a replacement', () => {
  it('sets back what it leaves out, but for when it becomes available', async () => {
    const availableAt = new Date(Date.now() + 3_600_000).toISOString();
    const taskId = await create(fixture, { priority: 1, tags: ['x'], deadline: availableAt, availableAt });
    expect((await put(taskId, { title: 'Anew', input: { b: 2 } })).body.version).toBe(2);
    expect(await read(taskId)).toMatchObject({
      title: 'Anew',
      priority: 3,
      tags: [],
      deadline: null,
      input: { b: 2 },
      availableAt,
      type: 'task',
    });
  });
});

describe('who read an older version', () => {
  it('is refused with If-Match, and only then', async () => {
    const taskId = await create(fixture);
    await patch(taskId, { priority: 2 });
    const late = await patch(taskId, { priority: 4 }, { 'if-match': '"v1"' });
    expect([late.status, late.body.code, late.body.details.version]).toEqual([412, 'VERSION_MISMATCH', 2]);
    expect((await put(taskId, { title: 'x' }, { 'if-match': 'W/"v2"' })).status).toBe(412);
    expect((await patch(taskId, { priority: 4 }, { 'if-match': 'v2' })).status).toBe(400);
    expect((await patch(taskId, { priority: 4 }, { 'if-match': '"v7", "v2"' })).status).toBe(200);
    expect((await patch(taskId, { priority: 5 }, { 'if-match': '*' })).status).toBe(200);
    const cancel = (version: string) =>
      fixture.http('POST', `/v1/tasks/${taskId}/cancel`, {}, { 'if-match': version });
    expect((await cancel('"v3"')).status).toBe(412);
    expect((await cancel('"v4"')).body.status).toBe('cancelled');
  });

  it('loses against one other, whoever of many they are', async () => {
    const taskId = await create(fixture);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        patch(taskId, { title: `by ${index}` }, { 'if-match': '"v1"' }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(19);
    expect((await read(taskId)).version).toBe(2);
  });
});

describe('an update of what may not change', () => {
  it.each([
    ['the status', { status: 'completed' }, /status/],
    ['the type', { type: 'other' }, /type/],
    ['a field nobody knows', { titel: 'x' }, /titel/],
    ['the title to nothing', { title: null }, /title/],
    ['a priority that is none', { priority: 9 }, /priority/],
  ])('%s is refused, naming it', async (_what, body, name) => {
    const taskId = await create(fixture);
    for (const answer of [await patch(taskId, body), await put(taskId, { title: 'x', ...body })]) {
      expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
      expect(JSON.stringify(answer.body.errors)).toMatch(name);
    }
    expect((await read(taskId)).version).toBe(1);
  });

  it('is refused when the merged whole is too large', async () => {
    const half = 'x'.repeat(200 * 1024);
    const taskId = await create(fixture, { input: { a: half } });
    const answer = await patch(taskId, { input: { b: half } });
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/input']);
  });
});

describe('the agent that created a task', () => {
  it('may change it, others may not', async () => {
    for (const id of ['author', 'reader']) await hello(fixture, id);
    const { tasks } = await fixture.ask('agent.author.call.create', { task: { title: 'mine' } });
    const update = { taskId: tasks[0].id, version: 1, changes: { priority: 1 } };
    const commandId = '0193a1c5-0005-7000-8000-000000000006';
    expect((await fixture.ask('agent.reader.call.update', update)).error.code).toBe('TASK_NOT_FOUND');
    const first = await fixture.ask('agent.author.call.update', { ...update, commandId });
    expect(first).toMatchObject({ ok: true, status: 'queued', version: 2 });
    expect(await fixture.ask('agent.author.call.update', { ...update, commandId })).toEqual(first);
    const other = { ...update, changes: { priority: 2 } };
    expect((await fixture.ask('agent.author.call.update', other)).error.code).toBe('VERSION_MISMATCH');
  });

  it('may change it alone: who holds what it is part of may call it off, and no more', async () => {
    const begun = async (agentId: string, taskId: string) => {
      const { epoch } = await hello(fixture, agentId);
      const { attempt } = await assign(fixture, taskId, agentId);
      await verb(fixture, agentId, 'start', { taskId, attempt, epoch });
      return { taskId, attempt, epoch };
    };
    const spawn = async (agentId: string, parent: object): Promise<string> =>
      (await fixture.ask(`agent.${agentId}.call.spawn`, { parent, task: { title: 'part' } })).tasks[0].id;
    const child = await spawn('above', await begun('above', await create(fixture)));
    const taskId = await spawn('between', await begun('between', child));
    for (const word of ['update', 'reopen', 'delete']) {
      const body = { taskId, ...(word === 'update' ? { changes: { priority: 1 } } : {}) };
      expect((await fixture.ask(`agent.above.call.${word}`, body)).error.code).toBe('FORBIDDEN');
    }
    expect(await fixture.ask('agent.above.call.cancel', { taskId })).toMatchObject({ status: 'cancelled' });
  });
});

describe('afterwards', () => {
  it('every task replays from its history, payloads by their hashes', async () => {
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(12);
  });
});
