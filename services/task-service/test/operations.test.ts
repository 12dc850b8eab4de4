import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import pg from 'pg';
import { assign, create, hello } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

let fixture: Fixture;
const holders: pg.Client[] = [];
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
// What a test that failed still holds up.
afterEach(() => Promise.all(holders.splice(0).map((client) => client.end())));
afterAll(() => fixture.close());

const post = (body: object, headers: Record<string, string> = {}) =>
  fixture.http('POST', '/v1/operations', body, headers);
const read = async (id: string): Promise<Json> => (await fixture.http('GET', `/v1/operations/${id}`)).body;

async function start(body: object): Promise<string> {
  const { status, body: operation, headers } = await post(body);
  expect({ status, operation }).toMatchObject({ status: 202 });
  expect(headers.get('location')).toBe(`/v1/operations/${operation.id}`);
  return operation.id;
}

/** The operation once it has ended. */
async function ended(id: string): Promise<Json> {
  let operation: Json;
  await until(async () => (operation = await read(id)).endedAt !== null, { timeoutMs: 30_000 });
  return operation;
}

async function createMany(count: number, task: object): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let from = 0; from < count; from += 1_000) {
    const tasks = Array.from({ length: Math.min(1_000, count - from) }, (_, index) => ({
      title: `Task ${from + index}`,
      ...task,
    }));
    const { body } = await fixture.http('POST', '/v1/tasks/batch', { tasks, atomic: true });
    ids.push(...body.tasks.map(({ id }: Json) => id));
  }
  return ids;
}

/** How often each task of a type was changed by this event. */
async function changes(
  type: string,
  event = 'task.cancelled',
): Promise<readonly { readonly status: string; readonly times: number; readonly tasks: number }[]> {
  const { rows } = await fixture.db.query(
    `SELECT status, times, count(*)::int AS tasks FROM (
        SELECT t.id, t.status, count(e.version) FILTER (WHERE e.event_type = $1)::int AS times
        FROM tasks t JOIN task_events e ON e.task_id = t.id WHERE t.type = $2 GROUP BY t.id) t
      GROUP BY status, times ORDER BY status, times`,
    [event, type],
  );
  return rows;
}

/** Keeps a task from being changed by anybody, until the function it gives is called. */
async function holdUp(taskId: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: fixture.databaseUrl });
  holders.push(client);
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE', [taskId]);
  return () => client.end();
}

/** The time for which a replica has the operation is over. */
async function expireClaim(id: string): Promise<void> {
  await fixture.db.query('UPDATE operations SET claimed_until = now() WHERE id = $1', [id]);
}

/** How often a replica took the operation. */
async function claims(id: string): Promise<number> {
  return (await fixture.db.query('SELECT epoch FROM operations WHERE id = $1', [id])).rows[0].epoch;
}

/** Waits until the operation is in the middle of a chunk: some of its tasks are changed, and it has not said so yet. */
async function untilInTheMiddle(id: string): Promise<void> {
  await until(async () => {
    const { rows } = await fixture.db.query(
      `SELECT o.matched, count(e.*)::int AS changed FROM operations o LEFT JOIN task_events e ON e.command_id = o.id
        WHERE o.id = $1 AND o.chunk IS NOT NULL GROUP BY o.matched`,
      [id],
    );
    return rows.length === 1 && rows[0].changed > rows[0].matched;
  });
}

describe('an operation by filter', () => {
  it('does what its dry run counts, to those tasks alone, as commands of who began it', async () => {
    const old = await createMany(450, { type: 'old' });
    await createMany(30, { type: 'other' });
    const [ended1 = ''] = old;
    await fixture.http('POST', `/v1/tasks/${ended1}/cancel`, { reason: 'before' });
    const body = { action: 'cancel', q: 'type:old', with: { reason: 'too many' } };
    const dry = await post({ ...body, dryRun: true });
    expect({ status: dry.status, body: dry.body }).toEqual({
      status: 200,
      body: { matched: 449, approximate: false },
    });
    expect(await changes('old')).toContainEqual({ status: 'queued', times: 0, tasks: 449 });
    const id = await start(body);
    expect(await ended(id)).toMatchObject({
      id,
      action: 'cancel',
      q: 'type:old',
      with: { reason: 'too many' },
      status: 'done',
      expected: dry.body,
      matched: 449,
      done: 449,
      refused: {},
      createdBy: 'user:local',
    });
    expect(await changes('old')).toEqual([{ status: 'cancelled', times: 1, tasks: 450 }]);
    expect(await changes('other')).toEqual([{ status: 'queued', times: 0, tasks: 30 }]);
    const { body: history } = await fixture.http('GET', `/v1/tasks/${old[7]}/history`);
    expect(history.data.at(-1)).toMatchObject({
      type: 'task.cancelled',
      actor: 'user:local',
      reason: 'too many',
    });
    const { rows } = await fixture.db.query(
      `SELECT actor, action, detail FROM audit_log WHERE subject = $1 ORDER BY at`,
      [id],
    );
    expect(rows).toEqual([
      {
        actor: 'user:local',
        action: 'operation.start',
        detail: { action: 'cancel', q: 'type:old', with: body.with },
      },
      {
        actor: 'service:task',
        action: 'operation.end',
        detail: { status: 'done', matched: 449, done: 449, refused: {} },
      },
    ]);
  });

  it('changes priorities, and with them the order in which tasks are taken', async () => {
    const [first] = await createMany(3, { type: 'slow', priority: 4 });
    const keyOf = async () =>
      Number(
        (await fixture.db.query('SELECT queue_key FROM tasks WHERE id = $1', [first])).rows[0].queue_key,
      );
    const before = await keyOf();
    const body = { action: 'reprioritise', q: 'type:slow priority:4', with: { priority: 1 } };
    expect(await ended(await start(body))).toMatchObject({ status: 'done', matched: 3, done: 3 });
    expect(await changes('slow', 'task.updated')).toEqual([{ status: 'queued', times: 1, tasks: 3 }]);
    expect(await keyOf()).toBeLessThan(before);
    expect((await post({ ...body, dryRun: true })).body).toEqual({ matched: 0, approximate: false });
  });

  it('takes tasks from an agent, and says what was refused and why', async () => {
    await hello(fixture, 'busy', { maxConcurrent: 10 });
    const ids = await createMany(3, { type: 'held' });
    for (const id of ids) await assign(fixture, id, 'busy');
    const taken = await ended(
      await start({ action: 'reassign', q: 'agent:busy', with: { agentId: 'nobody' } }),
    );
    expect(taken).toMatchObject({ status: 'done', matched: 3, done: 0, refused: { AGENT_NOT_FOUND: 3 } });
    const moved = await ended(await start({ action: 'reassign', q: 'agent:busy' }));
    expect(moved).toMatchObject({ status: 'done', matched: 3, done: 3, refused: {} });
    expect(await changes('held', 'task.queued')).toEqual([{ status: 'queued', times: 1, tasks: 3 }]);
  });

  it('is begun once by a request that is repeated with its key, also at another replica', async () => {
    await createMany(5, { type: 'once' });
    const key = { 'idempotency-key': 'sweep' };
    const body = { action: 'cancel', q: 'type:once' };
    const [first, second] = [await post(body, key), await post(body, key)];
    expect(second.body.id).toBe(first.body.id);
    expect(second.status).toBe(202);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect((await post({ ...body, q: 'type:other' }, key)).body.code).toBe('IDEMPOTENCY_MISMATCH');
    expect((await fixture.db.query(`SELECT id FROM operations WHERE q = 'type:once'`)).rowCount).toBe(1);
    expect(await ended(first.body.id)).toMatchObject({ done: 5 });
  });

  it.each<[object, string]>([
    [{ q: 'type:a' }, '/action'],
    [{ action: 'explode', q: 'type:a' }, '/action'],
    [{ action: 'cancel' }, '/q'],
    [{ action: 'cancel', q: '' }, '/q'],
    [{ action: 'cancel', q: '  ' }, '/q'],
    [{ action: 'cancel', q: 'stauts:failed' }, '/q'],
    [{ action: 'cancel', q: 'age:>10' }, '/q'],
    [{ action: 'cancel', q: `"${'x'.repeat(1_000)}"` }, '/q'],
    [{ action: 'cancel', q: 'type:a', with: { agentId: 'a' } }, '/with/agentId'],
    [{ action: 'cancel', q: 'type:a', with: { reason: 7 } }, '/with/reason'],
    [{ action: 'reassign', q: 'type:a', with: { agentId: 'a.b' } }, '/with/agentId'],
    [{ action: 'reprioritise', q: 'type:a' }, '/with'],
    [{ action: 'reprioritise', q: 'type:a', with: { priority: 6 } }, '/with/priority'],
    [{ action: 'reprioritise', q: 'type:a', with: { priority: 1, status: 'queued' } }, '/with/status'],
    [{ action: 'cancel', q: 'type:a', dryRun: 'yes' }, '/dryRun'],
    [{ action: 'cancel', q: 'type:a', limit: 5 }, '/limit'],
  ])('is refused as %j at %s, and nothing is changed', async (body, pointer) => {
    const count = async () => (await fixture.db.query('SELECT id FROM operations')).rowCount;
    const before = await count();
    const answer = await post(body);
    expect(answer.body).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ pointer }] });
    expect(await count()).toBe(before);
  });

  it('that nobody began is not found', async () => {
    const path = '/v1/operations/0193a1c4-7f2e-7b3a-9c41-2f6d8e0b1a57';
    for (const method of ['GET', 'DELETE']) {
      expect((await fixture.http(method, path)).body).toMatchObject({
        code: 'OPERATION_NOT_FOUND',
        status: 404,
      });
    }
    expect((await fixture.http('GET', '/v1/operations/x')).status).toBe(400);
  });

  it('goes on after every process was killed in the middle of it: nothing twice, nothing lost', async () => {
    const ids = await createMany(1_000, { type: 'killed' });
    const release = await holdUp(ids[300] ?? '');
    const id = await start({ action: 'cancel', q: 'type:killed' });
    await untilInTheMiddle(id);
    for (const { process } of fixture.replicas) process.signal('SIGKILL');
    await Promise.all(fixture.replicas.map(({ process }) => process.exited));
    await release();
    const before = await fixture.db.query('SELECT matched, done FROM operations WHERE id = $1', [id]);
    expect(before.rows[0].done).toBeLessThan(1_000);
    await fixture.restart(() => expireClaim(id));
    expect(await ended(id)).toMatchObject({ status: 'done', matched: 1_000, done: 1_000, refused: {} });
    expect(await changes('killed')).toEqual([{ status: 'cancelled', times: 1, tasks: 1_000 }]);
  }, 60_000);

  it('is carried on by another replica while the first only stalls: each task is decided once, and counted once', async () => {
    const ids = await createMany(400, { type: 'stalled' });
    const release = await holdUp(ids[150] ?? '');
    const id = await start({ action: 'cancel', q: 'type:stalled' });
    await untilInTheMiddle(id);
    const first = await claims(id);
    await expireClaim(id);
    await until(async () => (await claims(id)) > first, { timeoutMs: 4_000 });
    await release();
    expect(await ended(id)).toMatchObject({ status: 'done', matched: 400, done: 400, refused: {} });
    expect(await changes('stalled')).toEqual([{ status: 'cancelled', times: 1, tasks: 400 }]);
  }, 60_000);

  it('leaves what is created meanwhile alone, and meets others at the same tasks', async () => {
    const ids = await createMany(1_500, { type: 'busy' });
    const id = await start({ action: 'cancel', q: 'type:busy' });
    const others = ids.filter((_, index) => index % 3 === 0).toReversed();
    const answers: number[] = [];
    const cancelOne = async (taskId: string) => {
      const { status } = await fixture.http('POST', `/v1/tasks/${taskId}/cancel`, { reason: 'by hand' });
      answers.push(status);
    };
    for (let from = 0; from < others.length; from += 50) {
      await Promise.all([
        create(fixture, { type: 'busy', title: 'New' }),
        ...others.slice(from, from + 50).map(cancelOne),
      ]);
    }
    const operation = await ended(id);
    const byHand = answers.filter((status) => status === 200).length;
    expect(new Set(answers)).toEqual(new Set([200, 409]));
    expect(operation.done + byHand).toBe(1_500);
    expect(operation.matched).toBe(operation.done + (operation.refused.TASK_STATE_CONFLICT ?? 0));
    expect(await changes('busy')).toEqual([
      { status: 'cancelled', times: 1, tasks: 1_500 },
      { status: 'queued', times: 0, tasks: 10 },
    ]);
  }, 60_000);

  it('ends where it is when it is cancelled: what was changed stays so, the rest is left alone', async () => {
    const ids = await createMany(1_000, { type: 'ending' });
    const release = await holdUp(ids[250] ?? '');
    const id = await start({ action: 'cancel', q: 'type:ending' });
    await untilInTheMiddle(id);
    const { body } = await fixture.http('DELETE', `/v1/operations/${id}`);
    expect(body).toMatchObject({ id, status: 'cancelling', endedAt: null });
    await release();
    const operation = await ended(id);
    expect(operation).toMatchObject({ status: 'cancelled', refused: {} });
    expect(operation.done).toBeGreaterThan(0);
    expect(operation.done).toBeLessThan(1_000);
    const left = 1_000 - operation.done;
    expect(await changes('ending')).toEqual([
      { status: 'cancelled', times: 1, tasks: operation.done },
      { status: 'queued', times: 0, tasks: left },
    ]);
    expect((await fixture.http('DELETE', `/v1/operations/${id}`)).body).toEqual(operation);
  }, 60_000);
});
