import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createAgent, type Agent, type AgentOptions, type DomainError, type InboxItem } from '@baton/agent';
import { startServices, type Services } from '@baton/stack';
import { agentLogin, asAdmin, startTestStack, type TestStack, until } from '@baton/testkit';
import { startAgentHost } from './system/agents.js';

// Answers are as loose as JSON is: each test says what it expects of them.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any;

let stack: TestStack;
let services: Services;
const agents: Agent[] = [];

beforeAll(async () => {
  stack = await startTestStack();
  services = await startServices({ stack, ports: 'free' });
}, 60_000);
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop({ mode: 'leave' });
});
afterAll(async () => {
  await services.stop();
  await stack.stop();
}, 60_000);

async function http(method: string, path: string, body?: unknown): Promise<Json> {
  const response = await fetch(`${services.get('task-service').httpUrl}/v1${path}`, {
    method,
    headers: { ...asAdmin, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

async function startAgent(options: Omit<AgentOptions, 'servers'>): Promise<Agent> {
  const agent = createAgent({ maxConcurrent: 1, ...options, ...agentLogin(stack.nats, options.id) });
  agents.push(agent);
  await agent.start();
  return agent;
}

const connect = (from: string, to: string) => http('PUT', `/agents/${from}/connections/${to}`, {});

/** A task whose first agent is the one named. */
async function createFor(agentId: string, body: object = {}): Promise<string> {
  const criteria = { pin: { agentId } };
  return (await http('POST', '/tasks', { title: 'A task', criteria, ...body })).id;
}

const becomes = (id: string, status: string, timeoutMs = 15_000): Promise<Json> =>
  until(
    async () => {
      const task = await http('GET', `/tasks/${id}`);
      return task.status === status && task;
    },
    { timeoutMs, describe: `task ${id} becomes ${status}` },
  );

describe('work that is handed on', () => {
  it('is done by the other agent, and who handed it on hears of its end', async () => {
    const ends: InboxItem[] = [];
    const planner = createAgent({
      id: 'planner',
      ...agentLogin(stack.nats, 'planner'),
      handler: async (_task, context) => {
        const [other] = await context.agents('write');
        await context.delegate(other?.id ?? 'nobody');
      },
    });
    agents.push(planner);
    planner.onEnd((item) => void ends.push(item));
    await planner.start();
    await startAgent({
      id: 'writer',
      capabilities: ['write'],
      handler: (_task, { attempt }) => ({ attempt }),
    });
    await connect('planner', 'writer');
    const id = await createFor('planner');
    expect(await becomes(id, 'completed')).toMatchObject({
      result: { attempt: 2 },
      lastAgentId: 'writer',
      delegatedFrom: 'planner',
      delegationChain: ['planner'],
    });
    await until(() => ends.length === 1);
    expect(ends[0]).toMatchObject({ taskId: id, status: 'completed' });
    const { data } = await http('GET', `/tasks/${id}/history`);
    expect(data.map(({ type }: Json) => type)).toEqual([
      'task.created',
      'task.assigned',
      'task.started',
      'task.delegated',
      'task.started',
      'task.completed',
    ]);
  });

  it('waits for an agent without room, for that one alone, and is taken as soon as there is some', async () => {
    let release: () => void = () => undefined;
    const busy = new Promise<void>((resolve) => (release = resolve));
    await startAgent({ id: 'sender', handler: (_task, context) => context.delegate('busy') });
    await startAgent({ id: 'busy', handler: (task) => (task.type === 'filler' ? busy : 'done') });
    await startAgent({ id: 'idle', handler: () => 'not mine' });
    await connect('sender', 'busy');
    const filler = await createFor('busy', { type: 'filler' });
    await becomes(filler, 'in_progress');
    const id = await createFor('sender');
    await until(async () => (await http('GET', `/tasks/${id}`)).pinnedTo === 'busy');
    expect((await http('GET', `/tasks/${id}/decision`)).waiting).toMatchObject({
      reason: 'PINNED',
      evidence: { agentId: 'busy', held: 1, slots: 1 },
    });
    const queue = await http('GET', '/agents/busy/queue');
    expect(queue).toMatchObject({ running: [{ taskId: filler }], pinned: [{ taskId: id }], next: id });
    release();
    expect(await becomes(id, 'completed')).toMatchObject({ result: 'done', lastAgentId: 'busy' });
  });

  it('never goes back and forth, and no further than eight times', async () => {
    const refusals: string[] = [];
    const names = Array.from({ length: 10 }, (_, index) => `hand-${index}`);
    for (const [index, id] of names.entries()) {
      await startAgent({
        id,
        handler: async (_task, context) => {
          const before = index === 0 ? undefined : names[index - 1];
          const tried = before && (await context.delegate(before).catch((error: DomainError) => error.code));
          if (typeof tried === 'string') refusals.push(tried);
          const next = await context
            .delegate(names[index + 1] ?? '')
            .catch((error: DomainError) => error.code);
          return next;
        },
      });
    }
    for (const [index, id] of names.slice(1).entries()) {
      await connect(names[index] ?? '', id);
      await connect(id, names[index] ?? '');
    }
    const id = await createFor('hand-0');
    expect(await becomes(id, 'completed', 30_000)).toMatchObject({
      result: 'DELEGATION_DEPTH',
      lastAgentId: 'hand-8',
      delegationChain: names.slice(0, 8),
    });
    expect(refusals).toEqual(Array(8).fill('DELEGATION_CYCLE'));
  }, 60_000);

  it('comes back from an agent that is lost', async () => {
    const returned: InboxItem[] = [];
    const giver = createAgent({
      id: 'giver',
      ...agentLogin(stack.nats, 'giver'),
      handler: (_task, context) =>
        context.previousAttempts.length === 0 ? context.delegate('mortal') : 'then I did it myself',
    });
    agents.push(giver);
    giver.onReturned((item) => void returned.push(item));
    await giver.start();
    const host = await startAgentHost({
      nats: stack.nats,
      agents: [{ id: 'mortal' }],
      workMs: 60_000,
    });
    try {
      await connect('giver', 'mortal');
      const id = await createFor('giver');
      await until(async () => {
        const task = await http('GET', `/tasks/${id}`);
        return task.status === 'in_progress' && task.assignedTo === 'mortal';
      });
      await host.kill();
      expect(await becomes(id, 'completed', 30_000)).toMatchObject({
        result: 'then I did it myself',
        lastAgentId: 'giver',
        lostCount: 1,
        attempt: 3,
      });
      await until(() => returned.length === 1);
      expect(returned[0]).toMatchObject({ taskId: id, status: 'queued', reason: 'expired' });
    } finally {
      await host.close();
    }
  }, 60_000);

  it('ends with its tree when its budget is spent', async () => {
    const aborted: unknown[] = [];
    await startAgent({
      id: 'spender',
      handler: async (_task, context) => {
        const { signal } = context;
        signal.addEventListener('abort', () => aborted.push(signal.reason));
        context.usage({ inputTokens: 600, outputTokens: 500 });
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    });
    const id = await createFor('spender', { budget: { maxTokens: 1_000 } });
    expect(await becomes(id, 'failed')).toMatchObject({
      statusReason: 'budget_exceeded',
      usage: { inputTokens: 600, outputTokens: 500, costUsd: 0 },
    });
    await until(() => aborted.length === 1);
    expect(aborted[0]).toMatchObject({ kind: 'revoked' });
  });
});

describe('an agent that is drained over HTTP', () => {
  it('gives back what it has not begun, ends what it works on, and works again when it is resumed', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    await startAgent({ id: 'tired', handler: () => gate });
    const first = await createFor('tired');
    await becomes(first, 'in_progress');
    expect(await http('POST', '/agents/tired/drain')).toMatchObject({ status: 'draining', drained: true });
    release();
    await becomes(first, 'completed');
    const second = await createFor('tired');
    expect((await http('GET', `/tasks/${second}/decision`)).waiting).toMatchObject({
      reason: 'PINNED',
      evidence: { status: 'draining' },
    });
    expect(await http('POST', '/agents/tired/resume')).toMatchObject({ status: 'online' });
    await becomes(second, 'completed');
    await until(async () => (await http('GET', '/agents/tired/workload')).completed === 2);
  });
});
