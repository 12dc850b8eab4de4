import { describe, expect, it } from '@jest/globals';
import { DEFAULTS, DomainError } from '@baton/contracts';
import { createdFixture, DECISION } from '../../test/task.fixture.js';
import { decide } from './task.decide.js';
import type { AgentUnderLock, Related, Task } from './task.js';
import type { TaskCommand } from './task.state.js';

type Forget = Extract<TaskCommand, { kind: 'forget' }>;

const idle = (id: string): AgentUnderLock => ({ id, status: 'online', capacity: 5, held: 0 });
const related = (overrides: Partial<Related> = {}): Related => ({
  dependencies: [],
  agent: undefined,
  liveEpoch: 1,
  heartbeatMs: 2_000,
  progressAt: null,
  parentStatus: null,
  described: undefined,
  ...overrides,
});
const fence = (task: Task, epoch = 1) => ({
  agentId: task.lastAgentId ?? 'alpha',
  attempt: task.attempt,
  epoch,
});

function accept(
  task: Task,
  command: TaskCommand,
  more: Partial<Related> = {},
  now = task.updatedAt + 10,
): Task {
  const agent = command.kind === 'assign' ? idle(command.agentId) : undefined;
  const decided = decide(task, related({ agent, ...more }), command, now);
  if (decided instanceof DomainError) throw decided;
  return decided.task;
}

const assign = (task: Task, agentId = 'alpha') =>
  accept(task, { kind: 'assign', taskId: task.id, agentId, decision: DECISION });
const start = (task: Task) => accept(task, { kind: 'start', taskId: task.id, fence: fence(task) });
const running = () => start(assign(createdFixture()));

function refusal(task: Task, command: TaskCommand, more: Partial<Related> = {}): string {
  const decided = decide(task, related(more), command, task.updatedAt + 10);
  return decided instanceof DomainError ? decided.code : decided.outcome;
}

describe('what an agent may still say about a task', () => {
  it('refuses a late complete of an agent that lost the task, then of another process of the holder', () => {
    const lost = accept(running(), {
      kind: 'expire',
      taskId: 'x',
      agentId: 'alpha',
      attempt: 1,
      deadEpoch: 1,
    });
    const late: TaskCommand = {
      kind: 'complete',
      taskId: lost.id,
      fence: { agentId: 'alpha', attempt: 1, epoch: 1 },
      result: 1,
    };
    expect(refusal(lost, late)).toBe('STALE_ATTEMPT');
    expect(refusal(start(assign(lost, 'beta')), late)).toBe('STALE_ATTEMPT');
    const other: TaskCommand = { ...late, fence: { agentId: 'alpha', attempt: 1, epoch: 2 } };
    expect(refusal(running(), other)).toBe('STALE_SESSION');
  });

  it('refuses in the promised order: ended, attempt, session, no longer held', () => {
    const ended = accept(running(), { kind: 'cancel', taskId: 'x', reason: 'requested' });
    const wrong = { agentId: 'beta', attempt: 9, epoch: 9 };
    expect(refusal(ended, { kind: 'start', taskId: 'x', fence: wrong })).toBe('TASK_STATE_CONFLICT');
    expect(refusal(running(), { kind: 'start', taskId: 'x', fence: wrong })).toBe('STALE_ATTEMPT');
    expect(
      refusal(running(), { kind: 'start', taskId: 'x', fence: { ...wrong, agentId: 'alpha', attempt: 1 } }),
    ).toBe('STALE_SESSION');
    const returned = accept(running(), {
      kind: 'return',
      taskId: 'x',
      fence: fence(running()),
      reason: 'draining',
    });
    expect(refusal(returned, { kind: 'start', taskId: 'x', fence: fence(returned) })).toBe('STALE_ATTEMPT');
  });

  it('tells an agent whose assignment was taken away before it started that the attempt is stale', () => {
    const assigned = assign(createdFixture());
    const taken = accept(assigned, {
      kind: 'expire',
      taskId: 'x',
      agentId: 'alpha',
      attempt: 1,
      deadEpoch: 0,
    });
    const late: TaskCommand = { kind: 'start', taskId: 'x', fence: fence(assigned) };
    expect(refusal(taken, late, { liveEpoch: null })).toBe('STALE_ATTEMPT');
  });

  it('answers a repeated start of the same process as success and refuses complete before start', () => {
    const task = running();
    expect(refusal(task, { kind: 'start', taskId: 'x', fence: fence(task) })).toBe('unchanged');
    const assigned = assign(createdFixture());
    expect(refusal(assigned, { kind: 'complete', taskId: 'x', fence: fence(assigned), result: 1 })).toBe(
      'TASK_STATE_CONFLICT',
    );
    expect(refusal(assigned, { kind: 'start', taskId: 'x', fence: fence(assigned, 2) })).toBe(
      'STALE_SESSION',
    );
  });
});

describe('failing, losing, timing out', () => {
  it('retries with back-off until the retries are used up, then fails with the error', () => {
    let task = createdFixture({ maxRetries: 2 });
    const error = { code: 'broken', message: 'no', retryable: true };
    for (const retry of [1, 2]) {
      task = accept(start(assign({ ...task, backlogClass: 'class', availableAt: null })), {
        kind: 'fail',
        taskId: 'x',
        fence: fence({ ...task, lastAgentId: 'alpha', attempt: retry }),
        error,
      });
      expect(task).toMatchObject({
        status: 'queued',
        statusReason: 'retry',
        retryCount: retry,
        backlogClass: null,
      });
      expect((task.availableAt ?? 0) - task.updatedAt).toBeLessThanOrEqual(2_000 * 2 ** (retry - 1));
      expect(task.skippedAgents.map(({ agentId }) => agentId)).toEqual(['alpha']);
    }
    const last = start(assign({ ...task, backlogClass: 'class', availableAt: null }));
    const failed = accept(last, { kind: 'fail', taskId: 'x', fence: fence(last), error });
    expect(failed).toMatchObject({
      status: 'failed',
      statusReason: 'retries_exhausted',
      error,
      retryCount: 2,
    });
  });

  it('counts lost holders apart from retries, without back-off for the first two, and gives up after five', () => {
    let task = createdFixture();
    for (let lost = 1; lost <= DEFAULTS.maxLost; lost++) {
      const held = start(assign({ ...task, backlogClass: 'class', availableAt: null }));
      task = accept(held, {
        kind: 'expire',
        taskId: 'x',
        agentId: 'alpha',
        attempt: held.attempt,
        deadEpoch: 1,
      });
      expect(task).toMatchObject({
        status: 'queued',
        statusReason: 'expired',
        lostCount: lost,
        retryCount: 0,
      });
      if (lost <= 2) expect(task.availableAt).toBeNull();
    }
    const held = start(assign({ ...task, backlogClass: 'class', availableAt: null }));
    task = accept(held, {
      kind: 'expire',
      taskId: 'x',
      agentId: 'alpha',
      attempt: held.attempt,
      deadEpoch: 1,
    });
    expect(task).toMatchObject({ status: 'failed', statusReason: 'agent_lost' });
  });

  it('offers an unanswered assignment again with growing spacing, then takes it elsewhere', () => {
    let task = assign(createdFixture());
    const spacing: number[] = [];
    for (let index = 0; index < 2; index++) {
      spacing.push((task.dueAt ?? 0) - (task.assignedAt ?? 0));
      const decided = decide(task, related(), { kind: 'due', taskId: 'x' }, task.dueAt ?? 0);
      expect(decided).toMatchObject({ outcome: 'unchanged', offer: true });
      if (!(decided instanceof DomainError)) task = decided.task;
    }
    expect(spacing).toEqual([2_000, 6_000]);
    const gone = accept(task, { kind: 'due', taskId: 'x' }, {}, task.dueAt ?? 0);
    expect(gone).toMatchObject({
      status: 'queued',
      statusReason: 'not_started',
      lostCount: 0,
      handoverCount: 1,
    });
  });

  it('fails a task undeliverable after ten assignments without a start', () => {
    let task = createdFixture();
    for (let index = 1; index <= DEFAULTS.maxHandovers; index++) {
      const held = assign({ ...task, backlogClass: 'class', availableAt: null });
      task = accept(held, {
        kind: 'expire',
        taskId: 'x',
        agentId: 'alpha',
        attempt: held.attempt,
        deadEpoch: 0,
      });
    }
    expect(task).toMatchObject({ status: 'failed', statusReason: 'undeliverable', handoverCount: 10 });
  });

  it('leaves a holder alone that is of a later epoch than the dead one', () => {
    const task = start(assign(createdFixture()));
    const command: TaskCommand = { kind: 'expire', taskId: 'x', agentId: 'alpha', attempt: 1, deadEpoch: 0 };
    expect(refusal(task, command)).toBe('unchanged');
  });

  it('takes a task its agent forgot as a lost one, unless it changed or just began', () => {
    const task = running();
    const { id: taskId, attempt, version } = task;
    const forget: Forget = { kind: 'forget', taskId, agentId: 'alpha', epoch: 1, attempt, version };
    const old = (task.startedAt ?? 0) + 6_001;
    const taken = accept(task, forget, {}, old);
    expect(taken).toMatchObject({
      status: 'queued',
      statusReason: 'forgotten',
      lostCount: 1,
      retryCount: 0,
      assignedTo: null,
      skippedAgents: [{ agentId: 'alpha', until: old + DEFAULTS.skipAgentMs }],
    });
    const refused = (changes: Partial<Forget>, now = old, of = task) =>
      decide(of, related(), { ...forget, ...changes }, now) instanceof DomainError;
    expect(refused({ epoch: 2 })).toBe(true);
    expect(refused({ attempt: 2 })).toBe(true);
    expect(refused({ agentId: 'beta' })).toBe(true);
    expect(refused({ version: version - 1 })).toBe(true);
    expect(refused({}, old - 1)).toBe(true);
    const assigned = assign(createdFixture());
    expect(refused({ version: assigned.version }, old, assigned)).toBe(true);
    expect(refused({}, old, taken)).toBe(true);
  });

  it('gives up on a task that was forgotten too often', () => {
    const task = { ...running(), lostCount: DEFAULTS.maxLost };
    const { id: taskId, attempt, version } = task;
    const forget: Forget = { kind: 'forget', taskId, agentId: 'alpha', epoch: 1, attempt, version };
    const failed = accept(task, forget, {}, (task.startedAt ?? 0) + 10_000);
    expect(failed).toMatchObject({ status: 'failed', statusReason: 'agent_lost' });
  });

  it('times a running task out as a failed try', () => {
    const task = start(assign(createdFixture({ timeout: 5 })));
    expect(task.dueAt).toBe((task.startedAt ?? 0) + 5_000);
    const out = accept(task, { kind: 'due', taskId: 'x' }, {}, task.dueAt ?? 0);
    expect(out).toMatchObject({
      status: 'queued',
      statusReason: 'retry',
      retryCount: 1,
      error: { code: 'timeout' },
    });
  });
});

describe('waiting', () => {
  it('ripens a delayed task at its time, which keeps its place in the queue', () => {
    const delayed = createdFixture({ availableAt: 1_060_000 });
    expect(delayed).toMatchObject({ status: 'queued', backlogClass: null, dueAt: 1_060_000 });
    expect(
      refusal(
        delayed,
        { kind: 'assign', taskId: 'x', agentId: 'alpha', decision: DECISION },
        { agent: idle('alpha') },
      ),
    ).toBe('TASK_STATE_CONFLICT');
    const ripe = accept(delayed, { kind: 'due', taskId: 'x' }, {}, 1_060_000);
    expect(ripe).toMatchObject({ statusReason: 'due', backlogClass: 'class', queueKey: delayed.queueKey });
  });
});
