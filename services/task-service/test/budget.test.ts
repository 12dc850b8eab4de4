import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
afterAll(() => fixture.close());

type Held = { readonly taskId: string; readonly attempt: number; readonly epoch: number };

/** A task an agent of its own works on. */
async function working(agentId: string, body: object = {}): Promise<Held> {
  const { epoch } = await hello(fixture, agentId, { maxConcurrent: 10 });
  const taskId = await create(fixture, body);
  return begin(agentId, taskId, epoch);
}

async function begin(agentId: string, taskId: string, epoch: number): Promise<Held> {
  const { attempt } = await assign(fixture, taskId, agentId);
  expect((await verb(fixture, agentId, 'start', { taskId, attempt, epoch })).ok).toBe(true);
  return { taskId, attempt, epoch };
}

const spawn = (agentId: string, parent: Held, tasks: readonly object[]): Promise<Json> =>
  fixture.ask(`agent.${agentId}.call.spawn`, { parent, tasks });

const usageOf = async (taskId: string): Promise<Json> =>
  (await fixture.http('GET', `/v1/tasks/${taskId}`)).body.usage;

describe('what an attempt has used up', () => {
  it('is kept as the largest figures told, and summed over the attempts', async () => {
    const held = await working('counting');
    expect(await usageOf(held.taskId)).toBeNull();
    const tell = (usage: object, more: object = {}) =>
      verb(fixture, 'counting', 'progress', { ...held, percent: 10, usage, ...more });
    await tell({ inputTokens: 100, outputTokens: 20, costUsd: 0.5 });
    await tell({ inputTokens: 90, outputTokens: 30 });
    expect(await usageOf(held.taskId)).toEqual({ inputTokens: 100, outputTokens: 30, costUsd: 0.5 });
    const error = { message: 'again', code: 'broken' };
    await verb(fixture, 'counting', 'fail', { ...held, error, usage: { inputTokens: 110 } });
    await fixture.db.query(`UPDATE tasks SET skipped_agents = '[]' WHERE id = $1`, [held.taskId]);
    await until(
      async () => (await fixture.http('GET', `/v1/tasks/${held.taskId}`)).body.availableAt === null,
    );
    const second = await begin('counting', held.taskId, held.epoch);
    expect(second.attempt).toBe(2);
    await verb(fixture, 'counting', 'complete', { ...second, result: 1, usage: { inputTokens: 1 } });
    expect(await usageOf(held.taskId)).toEqual({ inputTokens: 111, outputTokens: 30, costUsd: 0.5 });
  });

  it('is kept of a refused message too, if the agent had that attempt, and nothing else of it', async () => {
    const held = await working('late');
    const expire = { items: [{ agentId: 'late', epoch: held.epoch, silentMs: 6_000 }] };
    await fixture.ask('svc.agent.expire', expire);
    await until(async () => (await statusOf(fixture, held.taskId)) === 'queued');
    await hello(fixture, 'other');
    await assign(fixture, held.taskId, 'other');
    const late = { ...held, result: 'too late', usage: { inputTokens: 7 } };
    expect((await verb(fixture, 'late', 'complete', late)).error.code).toBe('STALE_ATTEMPT');
    const stranger = await verb(fixture, 'stranger', 'complete', { ...late, usage: { inputTokens: 9 } });
    expect(stranger.error.code).toBe('TASK_NOT_FOUND');
    expect(await usageOf(held.taskId)).toMatchObject({ inputTokens: 7 });
    expect((await fixture.http('GET', `/v1/tasks/${held.taskId}`)).body.result).toBeNull();
  });
});

describe('a tree with a budget', () => {
  it('ends its running work when it used more, and grows no further', async () => {
    const root = await working('spender', { budget: { maxTokens: 1_000 } });
    const { tasks } = await spawn('spender', root, [{ title: 'one' }, { title: 'two', detached: true }]);
    const child = await begin('spender', tasks[0].id, root.epoch);
    await verb(fixture, 'spender', 'progress', { ...root, percent: 1, usage: { inputTokens: 400 } });
    const exactly = { ...child, percent: 1, usage: { inputTokens: 500, outputTokens: 100 } };
    await verb(fixture, 'spender', 'progress', exactly);
    expect((await spawn('spender', root, [{ title: 'three' }])).error.code).toBe('BUDGET_EXCEEDED');
    expect(await statusOf(fixture, root.taskId)).toBe('in_progress');
    await verb(fixture, 'spender', 'progress', {
      ...exactly,
      usage: { inputTokens: 501, outputTokens: 100 },
    });
    await until(async () => (await statusOf(fixture, child.taskId)) === 'failed');
    await until(async () => (await statusOf(fixture, root.taskId)) === 'failed');
    const { body } = await fixture.http('GET', `/v1/tasks/${child.taskId}`);
    expect(body.error).toMatchObject({ code: 'budget_exceeded', retryable: false });
    expect(body.error.message).toContain('1001 of 1000 tokens');
    const late = await verb(fixture, 'spender', 'complete', { ...child, result: 1 });
    expect(late.error.code).toBe('TASK_STATE_CONFLICT');
    // What waits has not begun to cost anything; it ends only with its parent, and this one is detached.
    expect(await statusOf(fixture, tasks[1].id)).toBe('queued');
  });

  it('has no more tasks than it may, however many are asked for at once', async () => {
    const root = await working('growing', { budget: { maxTasks: 4 } });
    const four = [1, 2, 3, 4].map((n) => ({ title: `child ${n}` }));
    expect((await spawn('growing', root, four)).error.code).toBe('BUDGET_EXCEEDED');
    const answers = await Promise.all(four.map((task) => spawn('growing', root, [task])));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
    expect(await statusOf(fixture, root.taskId)).toBe('in_progress');
  });

  it('is looked at by the reconciler when nothing is told: its time is over', async () => {
    const deadline = new Date(Date.now() + 1_500).toISOString();
    const root = await working('slow', { budget: { deadline } });
    await until(async () => Date.now() > Date.parse(deadline));
    expect((await spawn('slow', root, [{ title: 'late' }])).error.code).toBe('BUDGET_EXCEEDED');
    // It runs at the start of a replica.
    await fixture.restart(async () => undefined);
    await until(async () => (await statusOf(fixture, root.taskId)) === 'failed');
  });

  it('gets nothing back by deletes, and its root stays while the tree is there', async () => {
    const root = await working('deleter', { budget: { maxTasks: 4, maxTokens: 1_000 } });
    const { tasks } = await spawn('deleter', root, [{ title: 'one' }, { title: 'two' }]);
    const [one, two] = await Promise.all(tasks.map(({ id }: Json) => begin('deleter', id, root.epoch)));
    const below = await spawn('deleter', two, [{ title: 'three' }]);
    for (const [child, inputTokens] of [
      [one, 600],
      [two, 300],
    ])
      await verb(fixture, 'deleter', 'complete', { ...child, result: 1, usage: { inputTokens } });
    await verb(fixture, 'deleter', 'complete', { ...root, result: 1 });
    const remove = (id: string) => fixture.http('DELETE', `/v1/tasks/${id}`);
    expect((await remove(one.taskId)).status).toBe(204);
    const refused = await remove(root.taskId);
    expect([refused.status, refused.body.code]).toEqual([409, 'TASK_HAS_DEPENDENTS']);
    expect(refused.body.detail).toContain('further down its tree');
    // Four tasks there were, and 900 tokens: neither is less for the delete.
    const last = await begin('deleter', below.tasks[0].id, root.epoch);
    expect((await spawn('deleter', last, [{ title: 'five' }])).error.code).toBe('BUDGET_EXCEEDED');
    await verb(fixture, 'deleter', 'progress', { ...last, percent: 1, usage: { inputTokens: 101 } });
    await until(async () => (await statusOf(fixture, last.taskId)) === 'failed');
    expect((await remove(root.taskId)).body.detail).toContain('budget');
    for (const id of [last.taskId, two.taskId, root.taskId]) expect((await remove(id)).status).toBe(204);
    expect((await fixture.db.query('SELECT FROM deleted_usage')).rowCount).toBe(0);
  });

  it('is that of the root alone', async () => {
    const root = await working('rooted');
    const answer = await spawn('rooted', root, [{ title: 'child', budget: { maxTasks: 1 } }]);
    expect(answer.error.code).toBe('VALIDATION_FAILED');
  });
});

describe('an agent that names others', () => {
  const connect = (from: string, to: string) =>
    fixture.http('PUT', `/v1/agents/${from}/connections/${to}`, {});
  const aimed = (agentId: string) => ({ title: 'aimed', criteria: { requiredAgents: [agentId] } });

  it('needs a connection, and may not name one along the chain', async () => {
    const parent = await working('aim-a');
    const { epoch } = await hello(fixture, 'aim-b');
    const refused = await spawn('aim-a', parent, [aimed('aim-b')]);
    expect(refused.error.code).toBe('DELEGATION_NOT_CONNECTED');
    const created = await fixture.ask('agent.aim-a.call.create', { task: aimed('aim-b') });
    expect(created.error.code).toBe('DELEGATION_NOT_CONNECTED');
    await connect('aim-a', 'aim-b');
    await connect('aim-b', 'aim-a');
    const { tasks } = await spawn('aim-a', parent, [aimed('aim-b'), aimed('aim-a')]);
    const { body: child } = await fixture.http('GET', `/v1/tasks/${tasks[0].id}`);
    expect(child).toMatchObject({ delegatedFrom: 'aim-a', delegationChain: ['aim-a'] });
    const { body: own } = await fixture.http('GET', `/v1/tasks/${tasks[1].id}`);
    expect(own.delegationChain).toEqual([]);
    const held = await begin('aim-b', tasks[0].id, epoch);
    expect((await spawn('aim-b', held, [aimed('aim-a')])).error.code).toBe('DELEGATION_CYCLE');
    const pinned = { title: 'pinned', criteria: { pin: { agentId: 'aim-a' } } };
    expect((await spawn('aim-b', held, [pinned])).error.code).toBe('DELEGATION_CYCLE');
    const needs = { ...aimed('aim-b'), requiredCapabilities: [{ name: 'fly' }] };
    expect((await spawn('aim-a', parent, [needs])).error.code).toBe('DELEGATION_CAPABILITY');
  });

  it('has at most 100 children in a task', async () => {
    const parent = await working('fan');
    const many = Array.from({ length: 101 }, (_, index) => ({ title: `child ${index}` }));
    expect((await spawn('fan', parent, many)).error.code).toBe('DELEGATION_FANOUT');
  });
});
