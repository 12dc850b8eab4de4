import { describe, expect, it } from '@jest/globals';
import { DomainError, type Criteria } from '@baton/contracts';
import { createdFixture, DECISION } from '../../test/task.fixture.js';
import { connectionName } from './delegation.rules.js';
import { decide } from './task.decide.js';
import { assignedBy } from './assigned-by.js';
import type { TaskCommand } from './task.state.js';
import type { AgentUnderLock, Changed, Named, NamedAgent, Related, Task } from './task.js';

const NOW = 1_000_000;
const ALL = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];

type World = {
  readonly agents?: Partial<Record<string, Partial<NamedAgent>>>;
  /** The agent that is to have the task has no room. */
  readonly full?: boolean;
  readonly connections?: Named['connections'];
};

const everyone = new Set(ALL.flatMap((from) => ALL.map((to) => connectionName(from, to))));

function related(agentId: string, { agents = {}, full = false, connections = everyone }: World): Related {
  const named = new Map(
    ALL.map((id) => [id, { id, status: 'online' as const, capabilities: [], labels: {}, ...agents[id] }]),
  );
  const { status } = named.get(agentId) ?? { status: 'offline' };
  const agent: AgentUnderLock = { id: agentId, status, capacity: 1, held: full ? 1 : 0 };
  return {
    agent,
    dependencies: [],
    liveEpoch: 1,
    heartbeatMs: 2_000,
    progressAt: null,
    parentStatus: null,
    described: undefined,
    named: { agents: named, connections },
  };
}

const holdOf = (task: Task) => ({ agentId: task.lastAgentId ?? '', attempt: task.attempt, epoch: 1 });

function after(task: Task, command: TaskCommand, world: World = {}, now = task.updatedAt): Changed {
  const decided = decide(task, related(assignedBy(command) ?? 'nobody', world), command, now);
  if (decided instanceof DomainError || decided.outcome !== 'changed')
    throw new Error(`expected a change, got ${JSON.stringify(decided)}`);
  return decided;
}

function refusal(task: Task, command: TaskCommand, world: World = {}): string {
  const decided = decide(task, related(assignedBy(command) ?? 'nobody', world), command, task.updatedAt);
  return decided instanceof DomainError ? decided.code : 'accepted';
}

const assign = (task: Task, agentId: string): Task =>
  after(task, { kind: 'assign', taskId: task.id, agentId, decision: DECISION }).task;
const start = (task: Task): Task => after(task, { kind: 'start', taskId: task.id, fence: holdOf(task) }).task;
const handOver = (task: Task, to: string): TaskCommand => ({
  kind: 'delegate',
  taskId: task.id,
  fence: holdOf(task),
  to,
});
const held = (criteria: Criteria = {}) => start(assign(createdFixture({ criteria }, NOW), 'a'));

describe('handing a task on', () => {
  it('gives it to an agent with room at once, with an attempt of its own', () => {
    const task = held();
    const { task: next, event } = after(task, handOver(task, 'b'));
    expect(event).toBe('task.delegated');
    expect(next).toMatchObject({
      status: 'assigned',
      assignedTo: 'b',
      attempt: 2,
      holderEpoch: null,
      delegationChain: ['a'],
      returnTo: 'a',
    });
  });

  it('lets it wait for one without room, and for that one alone', () => {
    const task = held();
    const { task: next } = after(task, handOver(task, 'b'), { full: true });
    expect(next).toMatchObject({
      status: 'queued',
      pinnedTo: 'b',
      backlogClass: 'pin:b',
      attempt: 1,
      assignedTo: null,
      dueAt: NOW + 300_000,
    });
    expect(refusal(next, { kind: 'assign', taskId: next.id, agentId: 'c', decision: DECISION })).toBe(
      'TASK_STATE_CONFLICT',
    );
    expect(assign(next, 'b')).toMatchObject({ assignedTo: 'b', returnTo: 'a', pinnedTo: null, attempt: 2 });
  });

  it.each([
    ['to itself', 'a', {}, 'DELEGATION_CYCLE'],
    ['without a connection', 'b', { connections: new Set<string>() }, 'DELEGATION_NOT_CONNECTED'],
    ['along a connection the other way', 'b', { connections: new Set(['b>a']) }, 'DELEGATION_NOT_CONNECTED'],
    ['to one that drains', 'b', { agents: { b: { status: 'draining' } } }, 'DELEGATION_DRAINING'],
  ] as const)('%s is refused', (_what, to, world, code) => {
    const task = held();
    expect(refusal(task, handOver(task, to), world)).toBe(code);
  });

  it('is refused where the other lacks a capability, its level, or is not meant', () => {
    const needs = createdFixture({ requiredCapabilities: [{ name: 'write', minLevel: 0.5 }] }, NOW);
    const task = start(assign(needs, 'a'));
    const level = (value: number) => ({
      agents: { b: { capabilities: [{ name: 'write', level: value }] } },
    });
    expect(refusal(task, handOver(task, 'b'))).toBe('DELEGATION_CAPABILITY');
    expect(refusal(task, handOver(task, 'b'), level(0.4))).toBe('DELEGATION_CAPABILITY');
    expect(refusal(task, handOver(task, 'b'), level(0.5))).toBe('accepted');
    const meant = held({ requiredAgents: ['a', 'c'] });
    expect(refusal(meant, handOver(meant, 'b'))).toBe('DELEGATION_CAPABILITY');
    const excluding = held({ excludedAgents: ['b'] });
    expect(refusal(excluding, handOver(excluding, 'b'))).toBe('DELEGATION_CAPABILITY');
  });

  it('goes along eight agents and no further, and never back along the chain', () => {
    let task = held();
    for (const to of ALL.slice(1, 9)) {
      expect(refusal(task, handOver(task, ALL[0] ?? ''))).toBe('DELEGATION_CYCLE');
      task = after(task, handOver(task, to)).task;
    }
    expect(task.delegationChain).toEqual(ALL.slice(0, 8));
    expect(refusal(task, handOver(task, 'j'))).toBe('DELEGATION_DEPTH');
  });

  it('is refused to whoever does not hold the task', () => {
    const task = held();
    const { task: next } = after(task, handOver(task, 'b'));
    expect(refusal(next, handOver(task, 'c'))).toBe('STALE_ATTEMPT');
    const queued = createdFixture({}, NOW);
    expect(refusal(queued, handOver({ ...queued, lastAgentId: 'a' }, 'b'))).toBe('STALE_ATTEMPT');
  });
});

describe('a task handed on to no end', () => {
  const delegated = (full = false) => {
    const task = held();
    return after(task, handOver(task, 'b'), { full }).task;
  };

  it.each([
    ['returned', (task: Task) => ({ kind: 'return', fence: holdOf(task), reason: 'declined' as const })],
    ['expired', (task: Task) => ({ kind: 'expire', ...holdOf(task), deadEpoch: 1 })],
  ] as const)('%s goes back to who handed it on, who is told', (reason, command) => {
    const task = delegated();
    const { task: next, tell } = after(task, { ...command(task), taskId: task.id } as TaskCommand);
    expect(next).toMatchObject({ status: 'queued', statusReason: reason, pinnedTo: 'a', returnTo: null });
    expect(tell).toEqual(['a']);
  });

  it('goes back when the other had no room for five minutes', () => {
    const task = delegated(true);
    const due = { kind: 'due', taskId: task.id } as const;
    const { task: next, tell } = after(task, due, {}, NOW + 300_000);
    expect(next).toMatchObject({
      status: 'queued',
      statusReason: 'pin_expired',
      pinnedTo: 'a',
      pinnedUntil: NOW + 600_000,
    });
    expect(tell).toEqual(['a']);
    const again = after(next, due, {}, NOW + 600_000);
    expect(again.task).toMatchObject({ pinnedTo: null, backlogClass: 'class' });
  });

  it.each(['offline', 'draining'] as const)('goes to whoever can when that one is %s', (status) => {
    const task = delegated();
    const command = { kind: 'expire', taskId: task.id, ...holdOf(task), deadEpoch: 1 } as const;
    const { task: next, tell } = after(task, command, { agents: { a: { status } } });
    expect(next).toMatchObject({ pinnedTo: null, returnTo: null, backlogClass: 'class' });
    expect(tell).toEqual(['a']);
  });

  it('goes back one step at a time, and may be handed on again on the way', () => {
    const first = delegated();
    const second = after(first, handOver(first, 'c')).task;
    const back = after(second, { kind: 'expire', taskId: first.id, ...holdOf(second), deadEpoch: 1 }).task;
    expect(back).toMatchObject({ pinnedTo: 'b', returnTo: 'a', delegationChain: ['a', 'b'] });
    const again = assign(back, 'b');
    const third = after(again, handOver(again, 'd')).task;
    expect(third).toMatchObject({ delegationChain: ['a', 'b'], returnTo: 'b', assignedTo: 'd' });
    const returned = after(again, { kind: 'expire', taskId: first.id, ...holdOf(again), deadEpoch: 1 }).task;
    expect(returned).toMatchObject({ pinnedTo: 'a', returnTo: null });
  });

  it('is nobody’s to get back once somebody else took it from the backlog', () => {
    const task = delegated();
    const error = { code: 'broken', message: 'it broke', retryable: true };
    const failed = after(task, { kind: 'fail', taskId: task.id, fence: holdOf(task), error }).task;
    const ripe = after(failed, { kind: 'due', taskId: task.id }, {}, NOW + 900_000).task;
    expect(assign(ripe, 'b')).toMatchObject({ returnTo: 'a' });
    const elsewhere = assign(ripe, 'c');
    expect(elsewhere.returnTo).toBeNull();
    const lost = after(elsewhere, { kind: 'expire', taskId: task.id, ...holdOf(elsewhere), deadEpoch: 1 });
    expect(lost).toMatchObject({ task: { pinnedTo: null } });
    expect(lost.tell).toBeUndefined();
  });
});

describe('an operator', () => {
  const byHand = (task: Task, ifFull: 'pin' | 'refuse'): TaskCommand => ({
    kind: 'assign',
    taskId: task.id,
    agentId: 'b',
    decision: null,
    ifFull,
  });

  it('gives a queued task to an agent, or lets it wait there', () => {
    const task = createdFixture({}, NOW);
    expect(after(task, byHand(task, 'refuse')).task).toMatchObject({ assignedTo: 'b', attempt: 1 });
    expect(refusal(task, byHand(task, 'refuse'), { full: true })).toBe('AGENT_AT_CAPACITY');
    const pinned = after(task, byHand(task, 'pin'), { full: true });
    expect(pinned).toMatchObject({ arrow: 'pin', task: { statusReason: 'pinned', backlogClass: 'pin:b' } });
    const away = { agents: { b: { status: 'offline' as const } } };
    expect(refusal(task, byHand(task, 'refuse'), away)).toBe('AGENT_NOT_ONLINE');
    expect(after(task, byHand(task, 'pin'), away).task.pinnedTo).toBe('b');
  });

  it('takes a task from its agent, for another or for whoever can', () => {
    const task = held();
    const moved = after(task, { kind: 'reassign', taskId: task.id, agentId: 'b' });
    expect(moved).toMatchObject({ event: 'task.assigned', task: { assignedTo: 'b', attempt: 2 } });
    const waiting = after(task, { kind: 'reassign', taskId: task.id, agentId: 'b' }, { full: true });
    expect(waiting).toMatchObject({ event: 'task.queued', task: { pinnedTo: 'b', retryCount: 0 } });
    const free = after(task, { kind: 'reassign', taskId: task.id, agentId: null });
    expect(free.task).toMatchObject({ backlogClass: 'class', skippedAgents: [{ agentId: 'a' }] });
  });
});

describe('a pin by criteria', () => {
  const pinned = (mode: 'prefer' | 'require', timeout?: number) =>
    createdFixture(
      { criteria: { pin: { agentId: 'b', mode, ...(timeout === undefined ? {} : { timeout }) } } },
      NOW,
    );
  const due = { kind: 'due', taskId: createdFixture().id } as const;

  it('that prefers an agent waits for it for a while, once', () => {
    const task = pinned('prefer', 60);
    expect(task).toMatchObject({ backlogClass: 'pin:b', pinnedUntil: NOW + 60_000 });
    const { task: free } = after(task, due, {}, NOW + 60_000);
    expect(free).toMatchObject({ statusReason: 'pin_expired', backlogClass: 'class', pinnedTo: null });
    const lost = assign(free, 'c');
    const back = after(lost, { kind: 'expire', taskId: task.id, ...holdOf(lost), deadEpoch: 1 });
    expect(back.task.pinnedTo).toBeNull();
  });

  it('that requires it waits each time, for good or until it gives up', () => {
    expect(pinned('require')).toMatchObject({ backlogClass: 'pin:b', pinnedUntil: null, dueAt: null });
    const task = pinned('require', 60);
    expect(after(task, due, {}, NOW + 60_000).task).toMatchObject({
      status: 'failed',
      statusReason: 'expired',
    });
    const had = assign(task, 'b');
    const back = after(had, { kind: 'expire', taskId: task.id, ...holdOf(had), deadEpoch: 1 });
    expect(back.task.pinnedTo).toBe('b');
  });

  it('begins when a delayed task is due', () => {
    const task = createdFixture(
      { criteria: { pin: { agentId: 'b', mode: 'prefer' } }, availableAt: NOW + 5_000 },
      NOW,
    );
    expect(task).toMatchObject({ backlogClass: null, pinnedUntil: NOW + 305_000, dueAt: NOW + 5_000 });
    expect(after(task, due, {}, NOW + 5_000).task).toMatchObject({
      backlogClass: 'pin:b',
      pinnedUntil: NOW + 305_000,
    });
  });
});
