import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, hello, verb } from './agent.js';
import { startFixture, type Fixture } from './fixture.js';
import { operationsOf } from './operation.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());
const { post, start, ended, createMany, changes } = operationsOf(() => fixture);

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

  it('begins tasks anew that had ended, with changes, and none that completed', async () => {
    const ids = await createMany(4, { type: 'again', input: { to: 'b' } });
    await hello(fixture, 'doer');
    const [done = ''] = ids;
    const { attempt } = await assign(fixture, done, 'doer');
    for (const [name, more] of [
      ['start', {}],
      ['complete', { result: 1 }],
    ] as const)
      await verb(fixture, 'doer', name, { taskId: done, attempt, epoch: 1, ...more });
    expect(await ended(await start({ action: 'cancel', q: 'type:again' }))).toMatchObject({ done: 3 });
    const again = { action: 'reopen', q: 'type:again', with: { priority: 2, input: { to: 'c' } } };
    expect((await post({ ...again, dryRun: true })).body).toEqual({ matched: 3, approximate: false });
    expect(await ended(await start(again))).toMatchObject({
      status: 'done',
      matched: 3,
      done: 3,
      refused: {},
    });
    expect(await changes('again', 'task.queued')).toEqual([
      { status: 'completed', times: 0, tasks: 1 },
      { status: 'queued', times: 1, tasks: 3 },
    ]);
    const { body } = await fixture.http('GET', `/v1/tasks/${ids[1]}`);
    expect(body).toMatchObject({ statusReason: 'reopened', priority: 2, input: { to: 'c' } });
  });

  it('deletes what has ended, and leaves what others wait for and what goes on', async () => {
    const [first = '', second = ''] = await createMany(2, { type: 'gone' });
    await createMany(1, { type: 'waiting', dependencies: [{ taskId: first, policy: 'wait' }] });
    const [live] = await createMany(1, { type: 'gone' });
    for (const id of [first, second]) await fixture.http('POST', `/v1/tasks/${id}/cancel`, {});
    const operation = await ended(await start({ action: 'delete', q: 'type:gone' }));
    expect(operation).toMatchObject({
      status: 'done',
      matched: 2,
      done: 1,
      refused: { TASK_HAS_DEPENDENTS: 1 },
    });
    const { rows } = await fixture.db.query(`SELECT id FROM tasks WHERE type = 'gone' ORDER BY id`);
    expect(rows.map(({ id }) => id)).toEqual([first, live]);
    expect((await fixture.http('GET', `/v1/tasks/${second}`)).status).toBe(404);
  });

  it('deletes a tree with a budget, larger than a chunk, in one go', async () => {
    const root = (await createMany(1, { type: 'tree', budget: { maxTasks: 1_000 } }))[0] ?? '';
    for (let parent = root, level = 0; level < 3; level += 1) {
      const tasks = Array.from({ length: 90 }, () => ({ title: 'child', type: 'tree' }));
      const { body } = await fixture.http('POST', `/v1/tasks/${parent}/spawn`, { tasks });
      parent = body.tasks[0].id;
    }
    await fixture.http('POST', `/v1/tasks/${root}/cancel`, {});
    await until(async () => (await changes('tree')).every(({ status }) => status === 'cancelled'));
    const operation = await ended(await start({ action: 'delete', q: 'type:tree' }));
    expect(operation).toMatchObject({ status: 'done', matched: 271, done: 271, refused: {} });
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
    [{ action: 'delete', q: 'type:a', with: { reason: 'old' } }, '/with/reason'],
    [{ action: 'reopen', q: 'type:a', with: { title: 'New' } }, '/with/title'],
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
});
