import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAgent, TaskFailure, type Agent, type AgentOptions } from '@baton/agent';
import { startServices, type Services } from '@baton/stack';
import { agentLogin, asAdmin, startTestStack, until, type TestStack } from '@baton/testkit';

// Answers are as loose as JSON is: each test says what it expects of them.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any;

let stack: TestStack;
let services: Services;
const agents: Agent[] = [];
/** What lets the handler go on that works until it is told to stop. */
let letGo: () => void = () => undefined;
const untilLetGo = new Promise<void>((resolve) => (letGo = resolve));

beforeAll(async () => {
  stack = await startTestStack();
  services = await startServices({ stack, ports: 'free' });
  await startAgent('busy', { capabilities: ['work'], maxConcurrent: 1, handler: () => untilLetGo });
  await startAgent('fair', {
    capabilities: [
      { name: 'write', level: 0.5 },
      { name: 'fail', level: 1 },
      { name: 'limit', level: 1 },
    ],
    handler: ({ title }) => {
      if (title === 'fails') throw new TaskFailure('unlucky', 'not today');
      if (title === 'is limited') throw new TaskFailure('rate_limited', 'slowly', { retryAfter: 600 });
      return 'written';
    },
  });
  await createAndWait({ title: 'keeps busy', requiredCapabilities: [{ name: 'work' }] }, 'in_progress');
}, 90_000);
afterAll(async () => {
  letGo();
  await Promise.all(agents.map((agent) => agent.stop({ mode: 'leave' })));
  await services.stop();
  await stack.stop();
}, 60_000);

async function startAgent(id: string, options: Omit<AgentOptions, 'servers' | 'id'>): Promise<void> {
  const agent = createAgent({ id, ...options, ...agentLogin(stack.nats, id) });
  agents.push(agent);
  await agent.start();
}

async function http(method: string, path: string, body?: unknown): Promise<Json> {
  const response = await fetch(`${services.get('task-service').httpUrl}/v1${path}`, {
    method,
    headers: { ...asAdmin, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

const create = async (body: object): Promise<string> =>
  (await http('POST', '/tasks', { title: 'waits', ...body })).id;

async function createAndWait(body: object, status: string): Promise<Json> {
  const id = await create(body);
  return until(async () => {
    const task = await http('GET', `/tasks/${id}`);
    return task.status === status && task;
  });
}

const whyWaiting = async (id: string): Promise<Json> => (await http('GET', `/tasks/${id}/decision`)).waiting;

const work = { requiredCapabilities: [{ name: 'work' }] };
const write = { requiredCapabilities: [{ name: 'write' }] };
const slowly = { kind: 'fixed', baseSeconds: 600, capSeconds: 600, jitter: false };
const later = new Date(Date.now() + 3_600_000).toISOString();

describe('why a task waits', () => {
  const cases: readonly (readonly [string, () => object | Promise<object>, Json])[] = [
    [
      'NO_CAPABLE_AGENT',
      () => ({ requiredCapabilities: [{ name: 'write', minLevel: 0.9 }] }),
      { capabilities: [{ name: 'write', agents: 0, below: 1, bestLevel: 0.5 }], filtered: { capability: 2 } },
    ],
    [
      'ALL_AT_CAPACITY',
      () => work,
      { capableAgents: 1, slots: 1, held: 1, free: 0, filtered: { capacity: 1 } },
    ],
    [
      'BLOCKED_BY_DEPENDENCY',
      async () => ({ dependencies: [{ taskId: await create({ hold: true }) }] }),
      { unmet: [{ status: 'created' }] },
    ],
    ['DELAYED_UNTIL', () => ({ availableAt: later }), { availableAt: later }],
    [
      'BACKOFF',
      () => ({ title: 'fails', requiredCapabilities: [{ name: 'fail' }], retryPolicy: slowly }),
      {},
    ],
    ['RATE_LIMITED', () => ({ title: 'is limited', requiredCapabilities: [{ name: 'limit' }] }), {}],
    ['HELD', () => ({ hold: true }), { createdBy: 'user:local' }],
    ['PAUSED', () => ({ type: 'paused' }), { scope: 'type', type: 'paused' }],
    [
      'PINNED',
      () => ({ ...work, criteria: { pin: { agentId: 'busy', mode: 'require' } } }),
      { agentId: 'busy', status: 'online', slots: 1, held: 1 },
    ],
    [
      'MIN_SCORE_NOT_REACHED',
      () => ({ ...write, criteria: { minScore: 0.95 } }),
      { minScore: 0.95, agents: 1, best: [{ agentId: 'fair' }] },
    ],
  ];

  it.each(cases)('%s, with what shows it and what helps', async (reason, body, evidence) => {
    await http('PUT', '/types/paused', { paused: true });
    const id = await create(await body());
    const waiting = await until(
      async () => {
        const found = await whyWaiting(id);
        return found?.reason === reason ? found : undefined;
      },
      { describe: async () => `it waits for ${reason}; it says ${JSON.stringify(await whyWaiting(id))}` },
    );
    expect(waiting.evidence).toMatchObject(evidence);
    expect(waiting.nextStep.length).toBeGreaterThan(10);
    await http('POST', `/tasks/${id}/cancel`, {});
  });
});

describe('a task that nobody can do', () => {
  it('is assigned as soon as an agent that can says hello', async () => {
    const id = await create({ requiredCapabilities: [{ name: 'juggle', minLevel: 0.5 }] });
    const waiting = await until(() => whyWaiting(id));
    expect(waiting).toMatchObject({ reason: 'NO_CAPABLE_AGENT' });
    expect(waiting.nextStep).toContain('"juggle" at level 0.5 or more: no agent has it');
    await startAgent('juggler', { capabilities: ['juggle'], handler: () => 'juggled' });
    const task = await until(async () => {
      const found = await http('GET', `/tasks/${id}`);
      return found.status === 'completed' && found;
    });
    const { lastSeenAt } = await http('GET', '/agents/juggler');
    expect(Date.parse(task.assignedAt) - Date.parse(lastSeenAt)).toBeLessThan(5_000);
  });
});

describe('an operator', () => {
  it('learns who would get a task, has one assigned at once by other criteria, or learns why not', async () => {
    const body = { title: 'x', ...write, criteria: { minScore: 0.95 } };
    const refused = await http('POST', '/tasks/simulate', body);
    expect(refused).toMatchObject({ agentId: null, waiting: { reason: 'MIN_SCORE_NOT_REACHED' } });
    const simulated = await http('POST', '/tasks/simulate', { title: 'x', ...write });
    expect(simulated).toMatchObject({ agentId: 'fair', decision: { considered: 1 }, waiting: null });
    const id = await create(body);
    expect(await http('POST', `/tasks/${id}/auto-assign`)).toMatchObject({
      code: 'NO_AGENT',
      details: { reason: 'MIN_SCORE_NOT_REACHED' },
    });
    const given = await http('POST', `/tasks/${id}/auto-assign`, { criteria: { minScore: 0.1 } });
    expect(given).toMatchObject({ agentId: 'fair', attempt: 1, decision: { chosen: { agentId: 'fair' } } });
  });

  it('sees the affinity of an agent that the task prefers', async () => {
    await startAgent('first', {
      capabilities: ['paint'],
      labels: { region: 'eu' },
      handler: () => 'painted',
    });
    await startAgent('second', {
      capabilities: ['paint'],
      labels: { region: 'us' },
      handler: () => 'painted',
    });
    const paint = { requiredCapabilities: [{ name: 'paint' }] };
    const affinity = { name: 'affinity', value: 1, weight: 0.3 };
    const cases = [
      [{ preferredAgents: ['second'] }, 'second'],
      [{ preferredLabels: { region: 'us' } }, 'second'],
      [{ preferredAgents: ['first'] }, 'first'],
    ] as const;
    for (const [criteria, agentId] of cases) {
      const { id } = await createAndWait({ ...paint, criteria }, 'completed');
      const { decision } = await http('GET', `/tasks/${id}/decision`);
      expect(decision.chosen.agentId).toBe(agentId);
      expect(decision.chosen.parts).toContainEqual(affinity);
    }
    const { id } = await createAndWait(
      { ...paint, criteria: { requiredLabels: { region: 'eu' } } },
      'completed',
    );
    const { decision } = await http('GET', `/tasks/${id}/decision`);
    expect(decision).toMatchObject({ chosen: { agentId: 'first' }, considered: 1 });
  });

  it('prefers the agent that had the task before it waited for an answer', async () => {
    const capabilities = ['ask'];
    for (const id of ['one', 'other']) {
      await startAgent(id, {
        capabilities,
        handler: (_task, context) =>
          context.questions.length === 0 ? context.block({ reason: 'input', question: 'go on?' }) : 'done',
      });
    }
    const { id } = await createAndWait({ requiredCapabilities: [{ name: 'ask' }] }, 'blocked');
    await http('POST', `/tasks/${id}/answer`, { answer: 'yes' });
    await until(async () => (await http('GET', `/tasks/${id}`)).status === 'completed');
    const { data } = await http('GET', `/tasks/${id}/history`);
    const assigned = data.filter(({ type }: Json) => type === 'task.assigned');
    const [first, again] = assigned.map((event: Json) => event.data.decision.chosen);
    expect(again.agentId).toBe(first.agentId);
    expect(again.parts).toContainEqual({ name: 'affinity', value: 1, weight: 0.3 });
  });
});
