import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const row = async (taskId: string): Promise<Json> =>
  (await fixture.db.query('SELECT *, xmin::text FROM tasks WHERE id = $1', [taskId])).rows[0];

async function running(agentId: string, body: object = {}) {
  const { epoch } = await hello(fixture, agentId);
  const taskId = await create(fixture, body);
  const { attempt } = await assign(fixture, taskId, agentId);
  await verb(fixture, agentId, 'start', { taskId, attempt, epoch });
  return { taskId, attempt, epoch };
}

describe('the fence', () => {
  it('answers a late complete with STALE_ATTEMPT, changes nothing and keeps the refusal', async () => {
    const held = await running('late');
    await fixture.ask('svc.agent.expire', {
      items: [{ agentId: 'late', epoch: held.epoch, silentMs: 6_000 }],
    });
    await until(async () => (await statusOf(fixture, held.taskId)) === 'queued');
    const before = await row(held.taskId);
    const answer = await verb(fixture, 'late', 'complete', { ...held, result: { late: true } });
    expect(answer).toMatchObject({ ok: false, error: { code: 'STALE_ATTEMPT', retryable: false } });
    expect(await row(held.taskId)).toEqual(before);
    const audit = await fixture.db.query('SELECT code, action FROM audit_log WHERE subject = $1', [
      held.taskId,
    ]);
    expect(audit.rows).toEqual([{ code: 'STALE_ATTEMPT', action: 'task.complete' }]);
    const figures = await (await fetch(`${fixture.replicas[0]?.operationsUrl}/metrics`)).text();
    expect(figures).toMatch(/^baton_task_refusals_total\{command="complete",code="STALE_ATTEMPT"\} 1$/m);
  });

  it('answers a second process of the holder with STALE_SESSION, also where the first has not started yet', async () => {
    const held = await running('twins');
    const second = await hello(fixture, 'twins');
    expect(second.epoch).toBe(held.epoch + 1);
    const other = await running('pair');
    const before = await row(other.taskId);
    const answer = await verb(fixture, 'pair', 'complete', { ...other, epoch: other.epoch + 1, result: 1 });
    expect(answer.error.code).toBe('STALE_SESSION');
    expect(await row(other.taskId)).toEqual(before);
    const waiting = await create(fixture);
    const { attempt } = await assign(fixture, waiting, 'pair');
    const early = await verb(fixture, 'pair', 'start', { taskId: waiting, attempt, epoch: other.epoch + 1 });
    expect(early.error.code).toBe('STALE_SESSION');
    expect(await statusOf(fixture, waiting)).toBe('assigned');
  });

  it('takes the work of a replaced process away and refuses that process for good', async () => {
    const instance = randomUUID();
    const first = await hello(fixture, 'replaced', { instance });
    const taskId = await create(fixture);
    const { attempt } = await assign(fixture, taskId, 'replaced');
    await verb(fixture, 'replaced', 'start', { taskId, attempt, epoch: first.epoch });
    expect((await hello(fixture, 'replaced', { instance })).epoch).toBe(first.epoch);
    await hello(fixture, 'replaced');
    await until(async () => (await statusOf(fixture, taskId)) === 'queued');
    expect((await hello(fixture, 'replaced', { instance })).error.code).toBe('STALE_SESSION');
  });

  it('takes the agent from the subject, whatever the payload says', async () => {
    const held = await running('owner');
    await hello(fixture, 'thief');
    const answer = await verb(fixture, 'thief', 'complete', { ...held, agentId: 'owner', result: 1 });
    expect(answer.error.code).toBe('TASK_NOT_FOUND');
  });
});

describe('an agent that has nothing to do with a task', () => {
  it('hears of it what it hears of one that is not there, whatever it says', async () => {
    const held = await running('somebody');
    const ended = await running('somebody');
    await verb(fixture, 'somebody', 'complete', ended);
    const { epoch } = await hello(fixture, 'outsider');
    const said = {
      start: {},
      progress: { percent: 1 },
      log: { message: 'x' },
      artifact: { artifact: { name: 'x', url: 'https://example.org' } },
      checkpoint: { checkpoint: 1 },
      block: { reason: 'children', children: 'all' },
      complete: {},
      fail: { error: { message: 'x' } },
      return: { reason: 'declined' },
      delegate: { to: 'somebody' },
    };
    const missing = randomUUID();
    const heard = async (name: string, taskId: string, attempt: number, more: object): Promise<Json> =>
      JSON.stringify(await verb(fixture, 'outsider', name, { taskId, attempt, epoch, ...more })).replaceAll(
        taskId,
        missing,
      );
    for (const [name, more] of Object.entries(said)) {
      const unknown = await heard(name, missing, 1, more);
      expect(unknown).toContain('TASK_NOT_FOUND');
      for (const { taskId, attempt } of [held, ended])
        expect({ name, heard: await heard(name, taskId, attempt, more) }).toEqual({ name, heard: unknown });
    }
    const spawned = async (taskId: string) => {
      const parent = { taskId, attempt: 1, epoch };
      const answer = await fixture.ask('agent.outsider.call.spawn', { task: { title: 'x' }, parent });
      return JSON.stringify(answer).replaceAll(taskId, missing);
    };
    const unknown = await spawned(missing);
    for (const { taskId } of [held, ended]) expect(await spawned(taskId)).toBe(unknown);
  });
});

describe('a drain', () => {
  const agent = async (id: string) => (await fixture.http('GET', `/v1/agents/${id}`)).body;

  it('outlasts reconnects of its process, and ends with the next one', async () => {
    const instance = randomUUID();
    const { epoch } = await hello(fixture, 'leaving', { instance });
    await fixture.ask('agent.leaving.goodbye', { epoch, mode: 'drain' });
    expect(await hello(fixture, 'leaving', { instance })).toMatchObject({ ok: true, epoch });
    expect(await agent('leaving')).toMatchObject({ status: 'draining', epoch });
    const refused = await assign(fixture, await create(fixture), 'leaving');
    expect(refused.error.code).toBe('AGENT_NOT_ONLINE');
    await hello(fixture, 'leaving');
    expect(await agent('leaving')).toMatchObject({ status: 'online', epoch: epoch + 1 });
  });

  it('is over for a process that was expired and says hello again', async () => {
    const instance = randomUUID();
    const { epoch } = await hello(fixture, 'revived', { instance });
    await fixture.ask('agent.revived.goodbye', { epoch, mode: 'drain' });
    await fixture.ask('svc.agent.expire', { items: [{ agentId: 'revived', epoch, silentMs: 6_000 }] });
    expect((await hello(fixture, 'revived', { instance })).epoch).toBe(epoch + 1);
    expect((await agent('revived')).status).toBe('online');
  });
});

describe('commands that come twice', () => {
  it('answers a repeated complete with the same command id as accepted, and another one as a conflict', async () => {
    const held = await running('repeater');
    const command = { ...held, commandId: randomUUID(), result: { n: 1 } };
    const first = await verb(fixture, 'repeater', 'complete', command);
    expect(first).toMatchObject({ ok: true, status: 'completed', version: 4 });
    expect(await verb(fixture, 'repeater', 'complete', command)).toEqual(first);
    const other = await verb(fixture, 'repeater', 'complete', { ...held, result: { n: 2 } });
    expect(other.error.code).toBe('TASK_STATE_CONFLICT');
    expect((await fixture.http('GET', `/v1/tasks/${held.taskId}`)).body.result).toEqual({ n: 1 });
  });

  it('answers the same command twice in one message twice as accepted', async () => {
    const held = await running('eager');
    const command = { ...held, commandId: randomUUID(), result: 1 };
    const answer = await fixture.ask('agent.eager.task.complete', { items: [command, command] });
    expect(answer.items.map(({ ok, version }: Json) => [ok, version])).toEqual([
      [true, 4],
      [true, 4],
    ]);
  });

  it('judges several commands of one message each on its own', async () => {
    const good = await running('many');
    const items = [
      { ...good, commandId: randomUUID(), result: 'fine' },
      { ...good, taskId: randomUUID(), commandId: randomUUID() },
      { ...good, attempt: 'one', commandId: randomUUID() },
    ];
    const answer = await fixture.ask('agent.many.task.complete', { items });
    expect(answer.items.map((item: Json) => item.error?.code ?? item.status)).toEqual([
      'completed',
      'TASK_NOT_FOUND',
      'VALIDATION_FAILED',
    ]);
  });
});

describe('giving work back', () => {
  it('retries a failed task elsewhere with its history, and fails it when the error is final', async () => {
    const held = await running('failing', { maxRetries: 1, retryPolicy: { kind: 'fixed', baseSeconds: 0 } });
    const error = { code: 'broken', message: 'it broke' };
    expect(await verb(fixture, 'failing', 'fail', { ...held, error })).toMatchObject({ status: 'queued' });
    const again = await assign(fixture, held.taskId, 'failing');
    expect(again).toMatchObject({ ok: true, attempt: 2 });
    const greeting = await hello(fixture, 'failing');
    const [offered] = greeting.assignments;
    expect(offered).toMatchObject({
      attempt: 2,
      previousAttempts: [{ attempt: 1, agentId: 'failing', error }],
    });
    const final = { ...held, attempt: 2, epoch: greeting.epoch, error: { ...error, retryable: false } };
    expect(await verb(fixture, 'failing', 'fail', final)).toMatchObject({ status: 'failed' });
  });

  it('excludes an agent that declined', async () => {
    const held = await running('picky');
    await verb(fixture, 'picky', 'return', { ...held, reason: 'declined' });
    const { rows } = await fixture.db.query('SELECT excluded_agents FROM tasks WHERE id = $1', [held.taskId]);
    expect(rows[0].excluded_agents).toEqual(['picky']);
  });

  it('keeps the latest progress of an attempt and never moves it back', async () => {
    const held = await running('steady');
    for (const percent of [40, 10])
      await verb(fixture, 'steady', 'progress', { ...held, percent, message: `${percent}` });
    const { body } = await fixture.http('GET', `/v1/tasks/${held.taskId}`);
    expect(body).toMatchObject({ progress: { percent: 40, message: '40' }, version: 3 });
    const stale = await verb(fixture, 'steady', 'progress', { ...held, attempt: 9, percent: 50 });
    expect(stale.error.code).toBe('STALE_ATTEMPT');
  });
});

describe('offers and capacity', () => {
  it('offers an assignment with what the agent needs', async () => {
    const offers = fixture.connection.subscribe('agent.offered.offer');
    const next = offers[Symbol.asyncIterator]().next();
    await hello(fixture, 'offered');
    const taskId = await create(fixture, { input: { page: 7 }, tags: ['x'], traceparent: undefined });
    await assign(fixture, taskId, 'offered');
    const offer: Json = (await next).value.json();
    expect(offer).toMatchObject({
      epoch: 1,
      assignments: [{ attempt: 1, task: { id: taskId, input: { page: 7 }, tags: ['x'] } }],
    });
    expect(offer.assignments[0].decision.chosen.agentId).toBe('offered');
    offers.unsubscribe();
  });

  it('refuses an assignment beyond capacity, of an agent that is away, and of a task that is taken', async () => {
    await hello(fixture, 'small', { maxConcurrent: 1 });
    const [first, second] = [await create(fixture), await create(fixture)];
    expect(await assign(fixture, first, 'small')).toMatchObject({ ok: true });
    expect((await assign(fixture, second, 'small')).error.code).toBe('AGENT_AT_CAPACITY');
    expect((await assign(fixture, first, 'small')).error.code).toBe('TASK_STATE_CONFLICT');
    await fixture.ask('agent.small.goodbye', { epoch: 1, mode: 'leave' });
    expect((await assign(fixture, second, 'small')).error.code).toBe('AGENT_NOT_ONLINE');
    expect((await assign(fixture, second, 'nobody')).error.code).toBe('AGENT_NOT_FOUND');
    await until(async () => (await statusOf(fixture, first)) === 'queued');
  });

  it('never gives more than capacity when assignments race', async () => {
    await hello(fixture, 'racing', { maxConcurrent: 3 });
    const ids = await Promise.all(Array.from({ length: 20 }, () => create(fixture)));
    const answers = await Promise.all(ids.map((id) => assign(fixture, id, 'racing')));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
  });

  it('offers an unanswered assignment again, and elsewhere after startTimeout', async () => {
    const offered: Json[] = [];
    const offers = fixture.connection.subscribe('agent.silent.offer', {
      callback: (_, message) => void offered.push(message.json()),
    });
    await hello(fixture, 'silent');
    const taskId = await create(fixture, { startTimeout: 3 });
    await assign(fixture, taskId, 'silent');
    await until(() => offered.length === 2, { timeoutMs: 4_000 });
    await until(async () => (await statusOf(fixture, taskId)) === 'queued', { timeoutMs: 4_000 });
    expect((await row(taskId)).status_reason).toBe('not_started');
    offers.unsubscribe();
  });
});
