import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIMITS } from '@baton/contracts';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

const put = (type: string, body: object) => fixture.http('PUT', `/v1/types/${type}`, body);
const pointers = (body: Json): readonly string[] => body.errors.map(({ pointer }: Json) => pointer);

/** A type both replicas know as it is now. */
async function known(type: string, body: object): Promise<void> {
  expect([200, 201]).toContain((await put(type, body)).status);
  // The other replica hears of it a moment later: a task shows that it did, by the tag all of them get.
  const tag = `known-${Math.random().toString(36).slice(2)}`;
  const { body: view } = await put(type, { ...body, defaults: { ...(body as Json).defaults, tags: [tag] } });
  const hasTag = async () =>
    (await fixture.http('POST', '/v1/tasks', { title: 'probe', type, priority: 5 })).body.tags?.[0] === tag;
  await until(async () => (await hasTag()) && (await hasTag()));
  expect(view.defaults.tags).toEqual([tag]);
}

async function started(agentId: string, type: string) {
  const { epoch } = await hello(fixture, agentId);
  const taskId = await create(fixture, { type });
  const { attempt } = await assign(fixture, taskId, agentId);
  await verb(fixture, agentId, 'start', { taskId, attempt, epoch });
  return { taskId, attempt, epoch };
}

describe('task types', () => {
  it('are registered, replaced, listed by name and removed', async () => {
    const definition = { inputSchema: { type: 'object' }, defaults: { priority: 1 }, maxConcurrent: 3 };
    const first = await put('crud.b', definition);
    expect([first.status, first.headers.get('etag')]).toEqual([201, `"v${first.body.version}"`]);
    expect(first.body).toMatchObject({ ...definition, type: 'crud.b', paused: false, resultSchema: null });
    const second = await put('crud.b', { paused: true });
    expect(second.status).toBe(200);
    expect(second.body.version).toBeGreaterThan(first.body.version);
    expect(second.body).toMatchObject({ inputSchema: null, defaults: {}, paused: true, maxConcurrent: null });
    expect((await fixture.http('GET', '/v1/types/crud.b')).body).toEqual(second.body);
    await put('crud.a', {});
    const page = await fixture.http('GET', '/v1/types?limit=1');
    expect(page.body).toMatchObject({ data: [{ type: 'crud.a' }], page: { hasMore: true } });
    const next = await fixture.http(
      'GET',
      `/v1/types?limit=1&cursor=${encodeURIComponent(page.body.page.next)}`,
    );
    expect(next.body).toMatchObject({ data: [{ type: 'crud.b' }], page: { hasMore: false, next: null } });
    expect((await fixture.http('DELETE', '/v1/types/crud.a')).status).toBe(204);
    expect((await fixture.http('DELETE', '/v1/types/crud.a')).body.code).toBe('TYPE_NOT_FOUND');
    expect((await fixture.http('GET', '/v1/types/crud.a')).body.code).toBe('TYPE_NOT_FOUND');
    const { rows } = await fixture.db.query(
      `SELECT action FROM audit_log WHERE subject = 'crud.a' ORDER BY at`,
    );
    expect(rows.map(({ action }) => action)).toEqual(['type.put', 'type.delete']);
  });

  it('are refused with schemas and defaults that cannot be used, by their place', async () => {
    const refusals = [
      [{ inputSchema: { $ref: 'http://example.com/x' } }, '/inputSchema/$ref'],
      [{ resultSchema: { type: 'string', pattern: '^(a+)+$' } }, '/resultSchema/pattern'],
      [{ inputSchema: { typ: 'object' } }, '/inputSchema'],
      [{ inputSchema: { const: 'x'.repeat(LIMITS.schemaBytes) } }, '/inputSchema'],
      [{ defaults: { priority: 9 } }, '/defaults/priority'],
      [{ defaults: { title: 'all alike' } }, '/defaults/title'],
      [{ maxConcurrent: 0 }, '/maxConcurrent'],
    ] as const;
    for (const [definition, pointer] of refusals) {
      const { status, body } = await put('refused', definition);
      expect([definition, status, pointers(body)]).toEqual([definition, 400, [pointer]]);
    }
    expect((await fixture.http('GET', '/v1/types/refused')).status).toBe(404);
  });

  it('fill in what a task leaves out, and only that, whichever way it is created', async () => {
    const defaults = { priority: 1, timeout: 60, metadata: { team: 'a' }, input: { from: 'type' } };
    await known('filled', { defaults });
    const own = { title: 'own', type: 'filled', priority: 4, metadata: {} };
    const { body } = await fixture.http('POST', '/v1/tasks', own);
    expect(body).toMatchObject({ priority: 4, metadata: {}, timeout: 60 });
    const bare = { title: 'bare', type: 'filled' };
    const batch = await fixture.http('POST', '/v1/tasks/batch', { tasks: [bare] });
    const graph = await fixture.http('POST', '/v1/tasks/graph', { tasks: [{ ref: 'a', ...bare }] });
    const called = await fixture.ask('agent.filler.call.create', { task: bare });
    for (const { id } of [batch.body.results[0], graph.body.tasks[0], called.tasks[0]]) {
      expect((await fixture.http('GET', `/v1/tasks/${id}`)).body).toMatchObject({
        ...defaults,
        title: 'bare',
        retryPolicy: { kind: 'exponential' },
      });
    }
  });

  it('refuse a task whose input is not as its schema says, by its place in the request', async () => {
    const inputSchema = { type: 'object', required: ['url'], properties: { depth: { type: 'integer' } } };
    await known('checked', { inputSchema, defaults: { input: { url: 'x' } } });
    const bad = { title: 'bad', type: 'checked', input: { depth: 'deep' } };
    const good = { title: 'good', type: 'checked', input: { url: 'u' } };
    const single = await fixture.http('POST', '/v1/tasks', bad);
    expect([single.status, single.body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(pointers(single.body).toSorted()).toEqual(['/input/depth', '/input/url']);
    const atomic = await fixture.http('POST', '/v1/tasks/batch', { atomic: true, tasks: [good, bad] });
    expect(pointers(atomic.body)).toContain('/tasks/1/input/depth');
    const each = await fixture.http('POST', '/v1/tasks/batch', { tasks: [good, bad, good] });
    expect(each.body.summary).toEqual({ succeeded: 2, failed: 1 });
    expect(each.body.results[1].error.details.errors).toHaveLength(2);
    const called = await fixture.ask('agent.caller.call.create', {
      graph: { tasks: [{ ...bad, ref: 'a' }] },
    });
    expect(called.error.code).toBe('VALIDATION_FAILED');
    expect(pointers(called.error.details)).toContain('/graph/tasks/0/input/depth');
  });

  it('refuse a change that leaves an input which is not as their schema says', async () => {
    const inputSchema = { type: 'object', required: ['url'], properties: { depth: { type: 'integer' } } };
    await known('changed', { inputSchema, defaults: { input: { url: 'x' } } });
    const id = await create(fixture, { type: 'changed', input: { url: 'u' } });
    const patch = (input: object) => fixture.http('PATCH', `/v1/tasks/${id}`, { input });
    const deep = await patch({ depth: 'deep' });
    expect([deep.status, pointers(deep.body)]).toEqual([400, ['/input/depth']]);
    expect(pointers((await patch({ url: null })).body)).toEqual(['/input/url']);
    expect((await patch({ depth: 2 })).status).toBe(200);
    expect((await fixture.http('GET', `/v1/tasks/${id}`)).body.input).toEqual({ url: 'u', depth: 2 });
    await fixture.http('POST', `/v1/tasks/${id}/cancel`);
    const reopen = (input: object) => fixture.http('POST', `/v1/tasks/${id}/reopen`, { input });
    expect(pointers((await reopen({ depth: 1 })).body)).toEqual(['/input/url']);
    expect((await reopen({ url: 'v' })).body.status).toBe('queued');
  });

  it('answer a create once accepted again, though a later schema would refuse it', async () => {
    const task = { title: 'before', type: 'later', input: {} };
    const key = { 'idempotency-key': 'before-the-schema' };
    const first = await fixture.http('POST', '/v1/tasks', task, key);
    await known('later', { inputSchema: { required: ['url'] }, defaults: { input: { url: 'x' } } });
    const again = await fixture.http('POST', '/v1/tasks', task, key);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(again.body).toEqual(first.body);
    expect((await fixture.http('POST', '/v1/tasks', task)).status).toBe(400);
  });

  it('refuse a result that is not as their schema says; the holder may mend it, or fail', async () => {
    await known('strict', { resultSchema: { type: 'object', required: ['summary'] } });
    const hold = await started('mender', 'strict');
    const refused = await verb(fixture, 'mender', 'complete', { ...hold, result: { sumary: 'typo' } });
    expect(refused.error).toMatchObject({ code: 'INVALID_RESULT', retryable: false });
    expect(pointers(refused.error.details)).toEqual(['/result/summary']);
    expect(await statusOf(fixture, hold.taskId)).toBe('in_progress');
    const body = { agentId: 'mender', attempt: hold.attempt, epoch: hold.epoch, result: 3 };
    const http = await fixture.http('POST', `/v1/tasks/${hold.taskId}/complete`, body);
    expect([http.status, http.body.code, pointers(http.body)]).toEqual([422, 'INVALID_RESULT', ['/result']]);
    // Whoever does not hold the task is told that, whatever the result.
    const stale = await verb(fixture, 'mender', 'complete', { ...hold, attempt: 9, result: {} });
    expect(stale.error.code).toBe('STALE_ATTEMPT');
    const items = [
      { ...hold, commandId: hold.taskId, result: {} },
      { ...hold, commandId: hold.taskId.replace(/.$/, '0'), result: { summary: 'fine' } },
    ];
    const several = await fixture.ask('agent.mender.task.complete', { items });
    expect(several.items.map(({ ok }: Json) => ok)).toEqual([false, true]);
    expect(await statusOf(fixture, hold.taskId)).toBe('completed');
  });
});
