import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asAdmin } from '@baton/testkit';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

const countTasks = async (): Promise<number> =>
  (await fixture.db.query('SELECT count(*)::int AS n FROM tasks')).rows[0].n;

/** A request whose headers are answered before its body is sent: what is refused by them closes the connection. */
function announceBody(type: string, bytes: number): Promise<Json> {
  return new Promise((resolve, reject) => {
    const headers = { ...asAdmin, 'content-type': type, 'content-length': bytes };
    const sent = request(
      `${fixture.replicas[0]?.httpUrl}/v1/tasks`,
      { method: 'POST', headers },
      (response) => {
        json(response)
          .then(resolve, reject)
          .finally(() => sent.destroy());
      },
    );
    sent.on('error', reject).flushHeaders();
  });
}

describe('creating', () => {
  it('answers 201 with the task, where it is and its version', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { status, body, headers } = await fixture.http(
      'POST',
      '/v1/tasks',
      { title: 'Hello', input: { a: 1 }, requiredCapabilities: [{ name: 'write', minLevel: 0.5 }] },
      { traceparent },
    );
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/tasks/${body.id}`);
    expect(headers.get('etag')).toBe('"v1"');
    expect(body).toMatchObject({
      status: 'queued',
      statusReason: 'created',
      version: 1,
      traceparent,
      priority: 3,
    });
    const { body: read } = await fixture.http('GET', `/v1/tasks/${body.id}`);
    expect(read).toMatchObject({ ...body, input: { a: 1 }, dependencies: [], result: null });
  });

  it('holds a task back until it is available', async () => {
    const availableAt = new Date(Date.now() + 1_000).toISOString();
    const { body } = await fixture.http('POST', '/v1/tasks', { title: 'Later', availableAt });
    const waiting = await fixture.http('GET', `/v1/tasks/${body.id}/decision`);
    expect(waiting.body.waiting).toMatchObject({ reason: 'DELAYED_UNTIL', evidence: { availableAt } });
    await hello(fixture, 'early');
    expect((await assign(fixture, body.id, 'early')).error.code).toBe('TASK_STATE_CONFLICT');
  });

  it('judges the tasks of a batch each on its own, or all together', async () => {
    const before = await countTasks();
    const tasks = [{ title: 'good' }, { title: '' }, { title: 'also good', nonsense: 1 }, { title: 'good' }];
    const each = await fixture.http('POST', '/v1/tasks/batch', { tasks });
    expect(each.status).toBe(200);
    expect(each.body.results.map(({ ok, error }: Json) => error?.code ?? ok)).toEqual([
      true,
      'VALIDATION_FAILED',
      'VALIDATION_FAILED',
      true,
    ]);
    expect(each.body.summary).toEqual({ succeeded: 2, failed: 2 });
    const together = await fixture.http('POST', '/v1/tasks/batch', { atomic: true, tasks });
    expect(together.status).toBe(400);
    expect(together.body.errors[0].pointer).toBe('/tasks/1/title');
    expect(await countTasks()).toBe(before + 2);
  });

  it('takes a batch of 1,000 and refuses 1,001', async () => {
    const tasks = Array.from({ length: 1_001 }, (_, index) => ({ title: `task ${index}` }));
    const full = await fixture.http('POST', '/v1/tasks/batch', { tasks: tasks.slice(1) });
    expect(full.body.summary).toEqual({ succeeded: 1_000, failed: 0 });
    expect((await fixture.http('POST', '/v1/tasks/batch', { tasks })).status).toBe(400);
  });
});

describe('idempotency keys', () => {
  const post = (key: string, body: object, path = '/v1/tasks') =>
    fixture.http('POST', path, body, { 'idempotency-key': key });

  it('creates once, whoever asks how often and at the same time, and answers the original', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => post('once', { title: 'Once' })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') !== 'true')).toHaveLength(1);
    await fixture.http('POST', `/v1/tasks/${answers[0]?.body.id}/cancel`, {});
    expect((await post('once', { title: 'Once' })).body).toEqual(answers[0]?.body);
  });

  it('refuses the key with another body, and forgets it when the first was refused', async () => {
    await post('body', { title: 'First' });
    expect((await post('body', { title: 'Second' })).body).toMatchObject({
      status: 422,
      code: 'IDEMPOTENCY_MISMATCH',
    });
    const missing = { title: 'x', dependencies: [{ taskId: '01900000-0000-7000-8000-000000000000' }] };
    expect((await post('retry', missing)).status).toBe(422);
    expect((await post('retry', { title: 'x' })).status).toBe(201);
  });

  it('registers an agent once, and answers the original whatever it said since', async () => {
    const body = { id: 'keyed', capabilities: [{ name: 'draw', level: 0.5 }] };
    const register = (other: object = body) => post('register', other, '/v1/agents');
    const answers = await Promise.all(Array.from({ length: 10 }, () => register()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body: agent }) => JSON.stringify(agent))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(9);
    const greeting = await hello(fixture, 'keyed', { maxConcurrent: 9 });
    expect(greeting).toMatchObject({ ok: true, epoch: 1 });
    expect((await register()).body).toEqual(answers[0]?.body);
    expect((await register({ ...body, name: 'other' })).body.code).toBe('IDEMPOTENCY_MISMATCH');
    const again = await post('another', body, '/v1/agents');
    expect(again.body.code).toBe('AGENT_EXISTS');
    expect((await post('another', { ...body, id: 'keyed-2' }, '/v1/agents')).status).toBe(201);
    const kept = await fixture.db.query(`SELECT count(*)::int AS n FROM audit_log WHERE subject = 'keyed'
      AND action = 'agent.register'`);
    expect(kept.rows).toEqual([{ n: 1 }]);
  });

  it('covers graphs, batches and commands', async () => {
    const graph = {
      tasks: [
        { ref: 'a', title: 'a' },
        { ref: 'b', title: 'b', dependencies: [{ ref: 'a' }] },
      ],
    };
    const first = await post('graph', graph, '/v1/tasks/graph');
    expect((await post('graph', graph, '/v1/tasks/graph')).body).toEqual(first.body);
    const batch = { tasks: [{ title: 'one' }, { title: 'two' }] };
    const results = await post('batch', batch, '/v1/tasks/batch');
    expect((await post('batch', batch, '/v1/tasks/batch')).body).toEqual(results.body);
    const cancel = `/v1/tasks/${first.body.tasks[0].id}/cancel`;
    const cancelled = await post('cancel', {}, cancel);
    expect(cancelled.status).toBe(200);
    expect((await post('cancel', {}, cancel)).body).toEqual(cancelled.body);
    expect((await fixture.http('POST', cancel, {})).body.code).toBe('TASK_STATE_CONFLICT');
  });
});

describe('bad input', () => {
  const bad: readonly [string, unknown, string][] = [
    ['an unknown field', { title: 'x', priorty: 1 }, '/priorty'],
    ['a title that is too long', { title: 'x'.repeat(256) }, '/title'],
    ['a NUL', { title: 'x\0y' }, '/title'],
    ['a lone surrogate', { title: 'x\ud800' }, '/title'],
    ['a priority out of range', { title: 'x', priority: 6 }, '/priority'],
    ['a status', { title: 'x', status: 'completed' }, '/status'],
    ['a NUL inside the input', { title: 'x', input: { deep: ['\0'] } }, '/input'],
    ['an input that is no object', { title: 'x', input: [] }, '/input'],
    ['a negative timeout', { title: 'x', timeout: -1 }, '/timeout'],
    ['no title', {}, '/title'],
    ['a list', [], ''],
  ];

  it.each(bad)(
    'refuses %s with a problem document that names the field, and changes nothing',
    async (_, body, pointer) => {
      const before = await countTasks();
      const { status, body: problem, headers } = await fixture.http('POST', '/v1/tasks', body);
      expect(status).toBe(400);
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(problem).toMatchObject({ code: 'VALIDATION_FAILED', retryable: false, status: 400 });
      expect(problem.errors[0].pointer).toBe(pointer);
      expect(await countTasks()).toBe(before);
    },
  );

  it('answers what the framework refuses in the same form', async () => {
    expect((await fixture.http('POST', '/v1/tasks', '{"title":')).body.code).toBe('VALIDATION_FAILED');
    expect((await fixture.http('POST', '/v1/tasks', '{"__proto__":{"x":1},"title":"x"}')).body.code).toBe(
      'VALIDATION_FAILED',
    );
    expect((await fixture.http('GET', '/v1/nothing')).body).toMatchObject({
      code: 'ROUTE_NOT_FOUND',
      status: 404,
    });
    expect(await announceBody('application/json', 9_000_000)).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      status: 413,
    });
    expect(await announceBody('application/x-www-form-urlencoded', 1)).toMatchObject({
      code: 'UNSUPPORTED_MEDIA_TYPE',
      status: 415,
      detail: 'Expected the header "content-type: application/json", got "application/x-www-form-urlencoded"',
    });
    expect((await fixture.http('GET', '/v1/tasks/not-an-id')).body.code).toBe('VALIDATION_FAILED');
    expect((await fixture.http('GET', '/v1/tasks/01900000-0000-7000-8000-000000000000')).body.code).toBe(
      'TASK_NOT_FOUND',
    );
    expect((await fixture.http('GET', '/v1/tasks?status=odd')).body.errors[0].pointer).toBe('/status');
    expect((await fixture.http('GET', '/v1/tasks?cursor=made-up')).body.code).toBe('VALIDATION_FAILED');
    expect(
      (await fixture.http('POST', '/v1/tasks', { title: 'x' }, { 'idempotency-key': 'a b' })).body.code,
    ).toBe('VALIDATION_FAILED');
  });
});

describe('reading', () => {
  it('lists newest first, in pages that join without gap or repetition, never with payloads', async () => {
    const type = 'paged';
    const ids: string[] = [];
    for (let index = 0; index < 7; index++)
      ids.push(await create(fixture, { type, input: { secret: index } }));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const more: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { body }: { body: Json } = await fixture.http('GET', `/v1/tasks?type=${type}&limit=3${more}`);
      seen.push(...body.data.map(({ id }: Json) => id));
      expect(body.data[0]).not.toHaveProperty('input');
      expect(body.page.hasMore).toBe(body.page.next !== null);
      cursor = body.page.next;
    } while (cursor !== null);
    expect(seen).toEqual(ids.toSorted().toReversed());
    const queued = await fixture.http('GET', `/v1/tasks?type=${type}&status=failed,cancelled`);
    expect(queued.body.data).toEqual([]);
  });

  it('refuses a history after what is no version', async () => {
    const id = await create(fixture);
    for (const after of ['abc', '1.5', '1e30', '-1', '99999999999']) {
      expect((await fixture.http('GET', `/v1/tasks/${id}/history?after=${after}`)).status).toBe(400);
    }
    expect((await fixture.http('GET', `/v1/tasks/${id}/history?after=1`)).body.data).toEqual([]);
  });

  it('tells the history and the decision of a task', async () => {
    await hello(fixture, 'historian');
    const taskId = await create(fixture);
    const { attempt } = await assign(fixture, taskId, 'historian');
    await verb(fixture, 'historian', 'start', { taskId, attempt, epoch: 1 });
    const { body } = await fixture.http('GET', `/v1/tasks/${taskId}/history`);
    expect(body.data.map(({ version, type, actor }: Json) => [version, type, actor])).toEqual([
      [1, 'task.created', 'user:local'],
      [2, 'task.assigned', 'service:distribution'],
      [3, 'task.started', 'agent:historian'],
    ]);
    const decision = await fixture.http('GET', `/v1/tasks/${taskId}/decision`);
    expect(decision.body).toMatchObject({ decision: { chosen: { agentId: 'historian' } }, waiting: null });
  });
});

describe('agents', () => {
  it('registers, lists, connects and disconnects them', async () => {
    const agent = { id: 'registered', capabilities: [{ name: 'rare', level: 0.7 }], maxConcurrent: 2 };
    const { status, body } = await fixture.http('POST', '/v1/agents', agent);
    expect(status).toBe(201);
    expect(body).toMatchObject({ ...agent, status: 'offline', epoch: 0, workload: { canAccept: false } });
    expect((await fixture.http('POST', '/v1/agents', agent)).body.code).toBe('AGENT_EXISTS');
    expect((await fixture.http('GET', '/v1/agents?capability=rare')).body.data).toHaveLength(1);
    expect((await fixture.http('GET', '/v1/agents?capability=rare&available=true')).body.data).toHaveLength(
      0,
    );
    await hello(fixture, 'registered', { capabilities: [{ name: 'rare', level: 0.7 }] });
    expect((await fixture.http('GET', '/v1/agents?capability=rare&available=true')).body.data).toHaveLength(
      1,
    );
    await fixture.http('POST', '/v1/agents', { id: 'other' });
    const edge = await fixture.http('PUT', '/v1/agents/registered/connections/other', {
      strength: 0.4,
      bidirectional: true,
    });
    expect(edge.body).toEqual({ from: 'registered', to: 'other', strength: 0.4 });
    expect((await fixture.http('GET', '/v1/agents/other/connections')).body.data).toHaveLength(2);
    expect((await fixture.http('DELETE', '/v1/agents/registered/connections/other')).status).toBe(204);
    expect((await fixture.http('DELETE', '/v1/agents/registered/connections/other')).body.code).toBe(
      'CONNECTION_NOT_FOUND',
    );
    expect((await fixture.http('GET', '/v1/agents/nobody')).body.code).toBe('AGENT_NOT_FOUND');
    const { body: page } = await fixture.http('GET', '/v1/agents?limit=1');
    const elsewhere = `/v1/tasks?cursor=${encodeURIComponent(page.page.next)}`;
    expect((await fixture.http('GET', elsewhere)).body.code).toBe('VALIDATION_FAILED');
    const edges = Array.from({ length: 20 }, (_, index) =>
      fixture.http(
        'PUT',
        `/v1/agents/${index % 2 ? 'other/connections/registered' : 'registered/connections/other'}`,
        {
          bidirectional: true,
        },
      ),
    );
    const connected = await Promise.all(edges);
    expect(connected.every((answer) => answer.status === 200)).toBe(true);
  });
});
