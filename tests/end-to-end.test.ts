import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createAgent, TaskFailure, type Agent, type AgentOptions } from '@baton/agent';
import { startServices, type Services } from '@baton/stack';
import { agentLogin, asAdmin, connectAgent, startTestStack, type TestStack, until } from '@baton/testkit';
import pg from 'pg';

// Answers are as loose as JSON is: each test says what it expects of them.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any;

let stack: TestStack;
let services: Services;
let db: pg.Client;
const agents: Agent[] = [];

beforeAll(async () => {
  stack = await startTestStack();
  services = await startServices({ stack, ports: 'free' });
  db = new pg.Client({ connectionString: stack.postgresUrl });
  await db.connect();
}, 60_000);
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop({ mode: 'leave' });
});
afterAll(async () => {
  await db.end();
  await services.stop();
  await stack.stop();
}, 60_000);

async function startAgent(options: Omit<AgentOptions, 'servers'>): Promise<Agent> {
  const agent = createAgent({ ...options, ...agentLogin(stack.nats, options.id) });
  agents.push(agent);
  await agent.start();
  return agent;
}

async function http(method: string, path: string, body?: unknown): Promise<Json> {
  const response = await fetch(`${services.get('task-service').httpUrl}/v1${path}`, {
    method,
    headers: { ...asAdmin, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

const create = (body: object) => http('POST', '/tasks', { title: 'A task', ...body });
const becomes = (id: string, status: string, timeoutMs = 10_000) =>
  until(
    async () => {
      const task = await http('GET', `/tasks/${id}`);
      return task.status === status && task;
    },
    { timeoutMs, describe: `task ${id} becomes ${status}` },
  );

describe('a task', () => {
  it('goes from its creation to a real agent and back', async () => {
    await startAgent({
      id: 'greeter',
      capabilities: [{ name: 'greet', level: 0.9 }],
      handler: (task) => ({ said: ['Hello', task.input['name']] }),
    });
    const { id } = await create({ requiredCapabilities: [{ name: 'greet' }], input: { name: 'Ada' } });
    const task = await becomes(id, 'completed');
    expect(task).toMatchObject({
      result: { said: ['Hello', 'Ada'] },
      attempt: 1,
      version: 4,
      lastAgentId: 'greeter',
    });
    const { decision } = await http('GET', `/tasks/${id}/decision`);
    expect(decision.chosen.agentId).toBe('greeter');
    expect(decision.chosen.parts.map(({ name, value }: Json) => [name, value])).toEqual([
      ['capability', 0.9],
      ['workload', 1],
      ['priority', 0.6],
      ['connection', 0.5],
    ]);
  });

  it('waits with a reason while no agent can do it, and is assigned when one says hello', async () => {
    const { id } = await create({ requiredCapabilities: [{ name: 'juggle' }] });
    const waiting = await until(async () => (await http('GET', `/tasks/${id}/decision`)).waiting);
    expect(waiting).toMatchObject({ reason: 'NO_CAPABLE_AGENT' });
    expect(JSON.stringify(waiting.evidence)).toContain('juggle');
    await startAgent({ id: 'juggler', capabilities: ['juggle'], handler: () => 'juggled' });
    expect((await becomes(id, 'completed')).result).toBe('juggled');
  });

  it('is tried again by another agent when its handler fails, with the story so far', async () => {
    const seen: Json[] = [];
    const handler: AgentOptions['handler'] = (_task, { attempt, previousAttempts }) => {
      seen.push({ attempt, previousAttempts });
      if (attempt === 1) throw new TaskFailure('unlucky', 'first tries fail');
      return 'done';
    };
    for (const id of ['first', 'second']) await startAgent({ id, capabilities: ['try'], handler });
    const retryPolicy = { kind: 'fixed', baseSeconds: 0.1, jitter: false };
    const { id } = await create({ requiredCapabilities: [{ name: 'try' }], retryPolicy });
    const task = await becomes(id, 'completed');
    expect(task).toMatchObject({ attempt: 2, retryCount: 1 });
    expect(seen[1].previousAttempts).toMatchObject([{ attempt: 1, error: { code: 'unlucky' } }]);
    expect(seen[1].previousAttempts[0].agentId).not.toBe(task.lastAgentId);
  });

  it('goes on elsewhere within ten seconds when its agent falls silent, and the late result is refused', async () => {
    // An agent as any NATS client is one; it says hello, starts its task and is never heard again.
    const connection = await connectAgent(stack.nats, 'doomed');
    const ask = async (subject: string, body: object): Promise<Json> =>
      (await connection.request(`agent.doomed.${subject}`, JSON.stringify(body), { timeout: 5_000 })).json();
    const capabilities = [{ name: 'survive' }];
    const instance = randomUUID();
    const startedAt = new Date().toISOString();
    const { epoch } = await ask('hello', {
      instance,
      startedAt,
      capabilities,
      maxConcurrent: 1,
      running: [],
    });
    const { id } = await create({ requiredCapabilities: capabilities });
    await becomes(id, 'assigned');
    const held = { taskId: id, attempt: 1, epoch };
    await ask('task.start', { ...held, commandId: randomUUID() });
    const silentSince = performance.now();
    await startAgent({ id: 'survivor', capabilities: ['survive'], handler: () => 'survived' });
    const task = await becomes(id, 'completed', 15_000);
    expect(performance.now() - silentSince).toBeLessThan(10_000);
    expect(task).toMatchObject({
      result: 'survived',
      attempt: 2,
      lostCount: 1,
      retryCount: 0,
      lastAgentId: 'survivor',
    });
    const late = await ask('task.complete', { ...held, commandId: randomUUID(), result: 'late' });
    expect(late.error.code).toBe('TASK_STATE_CONFLICT');
    expect((await http('GET', `/tasks/${id}`)).version).toBe(task.version);
    await connection.close();
  });

  it('reaches its handler whole when it does not fit the message of an offer', async () => {
    await startAgent({
      id: 'reader',
      capabilities: ['read'],
      handler: (task, { dependencyResults }) => [
        JSON.stringify(task.input['text']).length,
        ...dependencyResults.map(({ result }) => JSON.stringify(result).length),
      ],
    });
    const large = 'x'.repeat(200_000);
    const needs = { requiredCapabilities: [{ name: 'read' }] };
    await startAgent({ id: 'writer', capabilities: ['write'], handler: () => large });
    const first = await create({ requiredCapabilities: [{ name: 'write' }] });
    await becomes(first.id, 'completed');
    const dependencies = [{ taskId: first.id }];
    const { id } = await create({ ...needs, input: { text: large }, context: { more: large }, dependencies });
    expect((await becomes(id, 'completed')).result).toEqual([200_002, 200_002]);
  });

  it('stops in its agent when it is cancelled', async () => {
    let aborted: unknown;
    await startAgent({
      id: 'patient',
      capabilities: ['wait'],
      handler: (_task, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = signal.reason;
            resolve(null);
          });
        }),
    });
    const { id } = await create({ requiredCapabilities: [{ name: 'wait' }] });
    await becomes(id, 'in_progress');
    await http('POST', `/tasks/${id}/cancel`, { reason: 'changed my mind' });
    await until(() => aborted);
    expect(aborted).toMatchObject({ kind: 'cancelled' });
    expect((await http('GET', `/tasks/${id}`)).status).toBe('cancelled');
  });

  it('plans children that other agents do in order, and gives each the results it waits for', async () => {
    await startAgent({
      id: 'planner',
      capabilities: ['plan'],
      handler: async (_task, { spawn }) => {
        const part = (ref: string, n: number) => ({
          ref,
          title: ref,
          requiredCapabilities: [{ name: 'add' }],
          input: { n },
        });
        const sum = { ...part('sum', 0), dependencies: [{ ref: 'one' }, { ref: 'two' }] };
        await spawn({ tasks: [part('one', 1), part('two', 2), sum] });
      },
    });
    await startAgent({
      id: 'adder',
      capabilities: ['add'],
      handler: (task, { dependencyResults }) =>
        dependencyResults.reduce((sum, { result }) => sum + Number(result), Number(task.input['n'])),
    });
    const { id } = await create({ requiredCapabilities: [{ name: 'plan' }] });
    const done = await until(async () => {
      const { data } = await http('GET', `/tasks?root=${id}&status=completed`);
      return data.length === 4 && data;
    });
    const sum = done.find(({ title }: Json) => title === 'sum');
    expect((await http('GET', `/tasks/${sum.id}`)).result).toBe(3);
  });
});

describe('many tasks', () => {
  it('each end exactly once, never beyond capacity, and every figure agrees', async () => {
    const runs = new Map<string, number>();
    let running = 0;
    let most = 0;
    for (const id of ['m1', 'm2', 'm3']) {
      await startAgent({
        id,
        capabilities: ['many'],
        maxConcurrent: 4,
        handler: async (task) => {
          running += 1;
          most = Math.max(most, running);
          runs.set(task.id, (runs.get(task.id) ?? 0) + 1);
          await new Promise(setImmediate);
          running -= 1;
        },
      });
    }
    const tasks = Array.from({ length: 500 }, (_, index) => ({
      title: `many ${index}`,
      type: 'many',
      requiredCapabilities: [{ name: 'many' }],
    }));
    await http('POST', '/tasks/batch', { tasks });
    const count = async (status: string): Promise<number> =>
      (await db.query(`SELECT count(*)::int AS n FROM tasks WHERE type = 'many' AND status = $1`, [status]))
        .rows[0].n;
    await until(async () => (await count('completed')) === 500, {
      timeoutMs: 30_000,
      describe: () => count('queued'),
    });
    expect([...runs.values()].every((times) => times === 1)).toBe(true);
    expect(runs.size).toBe(500);
    expect(most).toBeLessThanOrEqual(12);
    const metrics = `${services.get('metrics-service').httpUrl}/v1/metrics/tasks?type=many&groupBy=agent`;
    const figures = await until(async () => {
      const answer: Json = await (await fetch(metrics, { headers: asAdmin })).json();
      return answer.states.completed === 500 && answer;
    });
    expect(figures).toMatchObject({ ended: { completed: 500, failed: 0 }, completionRate: 1 });
    const byAgent = figures.groups.reduce((sum: number, { ended }: Json) => sum + ended.completed, 0);
    expect(byAgent).toBe(500);
  });
});
