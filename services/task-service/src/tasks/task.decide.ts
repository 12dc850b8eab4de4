import {
  DEFAULTS,
  DomainError,
  PRIORITY_OFFSET_SECONDS,
  type TaskError,
  type TaskEventType,
} from '@baton/contracts';
import { nextDue } from './due.policy.js';
import { retryDelayMs } from './retry.policy.js';
import { allows, isHeld, isTerminal, type ArrowName } from './task.state.js';
import type {
  Changed,
  Decided,
  Fence,
  Related,
  SkippedAgent,
  Task,
  TaskCommand,
  TaskProgression,
} from './task.js';

/**
 * Decides one command on an existing task: the task after it with the one event of its new version, "nothing to
 * change", or a refusal. Pure: `now` (milliseconds) is read from the database's clock after all locks, and is
 * raised to the task's own latest change so that its times never run backwards.
 */
export function decide(
  task: Task,
  related: Related,
  command: TaskCommand,
  now: number,
): Decided | DomainError {
  const at = Math.max(now, task.updatedAt);
  switch (command.kind) {
    case 'assign':
      return assign(task, related, command, at);
    case 'start':
      return refuseStale(task, related, command.fence) ?? start(task, command.fence, at);
    case 'complete':
      return refuseStale(task, related, command.fence) ?? complete(task, command.result, at);
    case 'fail':
      return refuseStale(task, related, command.fence) ?? fail(task, 'fail', command.error, at);
    case 'return':
      return refuseStale(task, related, command.fence) ?? giveBack(task, command.reason, at);
    case 'expire':
      return expire(task, command, at);
    case 'cancel':
      return cancel(task, command.reason, at);
    case 'unblock':
      return unblock(task, related, at);
    case 'due':
      return due(task, at);
  }
}

/**
 * The order of refusals is a promise to agents: ended, then another agent's or attempt's task, then another
 * process of the same agent, then no longer held. Only after that the table of arrows speaks.
 */
export function refuseStale(
  task: Task,
  related: Pick<Related, 'liveEpoch'>,
  fence: Fence,
): DomainError | undefined {
  if (isTerminal(task.status)) return conflict(task, 'it has ended');
  if (task.lastAgentId !== fence.agentId || task.attempt !== fence.attempt) {
    return stale('STALE_ATTEMPT', task, `attempt ${fence.attempt} of ${fence.agentId}`);
  }
  // Until `start` binds the task to an epoch, the live epoch of its agent is the one that may speak for it.
  const holder = task.holderEpoch ?? related.liveEpoch;
  if (holder !== fence.epoch) {
    return stale('STALE_SESSION', task, `epoch ${fence.epoch}; the live one is ${holder ?? 'none'}`);
  }
  if (!isHeld(task.status)) return stale('STALE_ATTEMPT', task, 'a task that was given to nobody since');
  return undefined;
}

function assign(
  task: Task,
  related: Related,
  command: Extract<TaskCommand, { kind: 'assign' }>,
  now: number,
): Decided | DomainError {
  if (!allows('assign', task.status)) return conflict(task, 'only a queued task can be assigned');
  if (task.backlogClass === null) return conflict(task, 'it is not available yet');
  const agent = related.agent;
  if (agent === undefined)
    return new DomainError('AGENT_NOT_FOUND', `No agent ${command.agentId} is registered`);
  if (agent.status !== 'online') {
    return new DomainError('AGENT_NOT_ONLINE', `Agent ${agent.id} is ${agent.status}; expected online`);
  }
  if (agent.held >= agent.capacity) {
    return new DomainError(
      'AGENT_AT_CAPACITY',
      `Agent ${agent.id} holds ${agent.held} of ${agent.capacity} tasks`,
    );
  }
  return changed(
    task,
    'assign',
    'task.assigned',
    now,
    {
      status: 'assigned',
      statusReason: null,
      assignedTo: agent.id,
      lastAgentId: agent.id,
      holderEpoch: null,
      attempt: task.attempt + 1,
      handoverCount: task.handoverCount + 1,
      assignedAt: now,
      startedAt: null,
      availableAt: null,
      backlogClass: null,
    },
    { detail: { decision: command.decision } },
  );
}

function start(task: Task, fence: Fence, now: number): Decided | DomainError {
  // Repeated by the process that started it: the answer was lost, not the task.
  if (task.status === 'in_progress') return { outcome: 'unchanged', task };
  return changed(task, 'start', 'task.started', now, {
    status: 'in_progress',
    holderEpoch: fence.epoch,
    handoverCount: 0,
    startedAt: now,
  });
}

function complete(task: Task, result: Changed['result'], now: number): Decided | DomainError {
  if (!allows('complete', task.status)) return conflict(task, 'start it first');
  return changed(
    task,
    'complete',
    'task.completed',
    now,
    { ...ended('completed', null, task, now), error: null },
    {
      result: result ?? null,
    },
  );
}

function fail(task: Task, arrow: 'fail' | 'timeout', error: TaskError, now: number): Changed {
  if (!error.retryable || task.retryCount >= task.maxRetries) {
    const reason = error.retryable ? 'retries_exhausted' : 'not_retryable';
    return changed(task, arrow, 'task.failed', now, { ...ended('failed', reason, task, now), error });
  }
  const retryCount = task.retryCount + 1;
  return changed(task, arrow, 'task.queued', now, {
    ...queued(task, 'retry', now, retryDelayMs(task.retryPolicy, retryCount, task.id)),
    skippedAgents: skip(task, now),
    retryCount,
    error,
  });
}

function giveBack(task: Task, reason: 'draining' | 'declined', now: number): Changed {
  const declined = reason === 'declined' && task.assignedTo !== null ? [task.assignedTo] : [];
  return changed(task, 'return', 'task.queued', now, {
    ...queued(task, 'returned', now, 0),
    excludedAgents: [...new Set([...task.excludedAgents, ...declined])],
  });
}

function expire(task: Task, command: Extract<TaskCommand, { kind: 'expire' }>, now: number): Decided {
  const isTheirs = task.assignedTo === command.agentId && task.attempt === command.attempt;
  const isDead = task.status === 'assigned' || (task.holderEpoch ?? 0) <= command.deadEpoch;
  if (!isTheirs || !isHeld(task.status) || !isDead) return { outcome: 'unchanged', task };
  return task.status === 'assigned' ? undelivered(task, 'expire', now) : lost(task, now);
}

function lost(task: Task, now: number): Changed {
  const lostCount = task.lostCount + 1;
  if (lostCount > DEFAULTS.maxLost) {
    const message = `${lostCount} agents were lost while working on it`;
    return failedBySystem(task, 'expire', 'agent_lost', message, { lostCount }, now);
  }
  const delay = lostCount <= 2 ? 0 : retryDelayMs(task.retryPolicy, lostCount - 2, task.id);
  return changed(task, 'expire', 'task.queued', now, {
    ...queued(task, 'expired', now, delay),
    skippedAgents: skip(task, now),
    lostCount,
  });
}

/** An assignment nobody started: goes elsewhere, until it was handed over too often in a row. */
function undelivered(task: Task, arrow: 'expire' | 'timeout', now: number): Changed {
  if (task.handoverCount >= DEFAULTS.maxHandovers) {
    const message = `assigned ${task.handoverCount} times and never started`;
    return failedBySystem(task, arrow, 'undeliverable', message, {}, now);
  }
  return changed(task, arrow, 'task.queued', now, {
    ...queued(task, arrow === 'expire' ? 'expired' : 'not_started', now, 0),
    skippedAgents: skip(task, now),
  });
}

function cancel(task: Task, reason: string, now: number): Decided | DomainError {
  if (!allows('cancel', task.status)) return conflict(task, 'it has ended');
  return changed(task, 'cancel', 'task.cancelled', now, ended('cancelled', reason, task, now));
}

/** Always a fresh look at every dependency, never a counter: no order of ends and retries can miscount. */
function unblock(task: Task, related: Related, now: number): Decided {
  if (task.status !== 'blocked') return { outcome: 'unchanged', task };
  const broken = related.dependencies.find(({ status }) => status === 'failed' || status === 'cancelled');
  if (broken) {
    const message = `a dependency ${broken.status === 'failed' ? 'failed' : 'was cancelled'}`;
    return failedBySystem(task, 'unblock', 'dependency_failed', message, {}, now);
  }
  if (related.dependencies.some(({ status }) => status !== 'completed'))
    return { outcome: 'unchanged', task };
  return changed(task, 'unblock', 'task.queued', now, queued(task, 'unblocked', now, remaining(task, now)));
}

function due(task: Task, now: number): Decided {
  const next = nextDue(task);
  if (next === undefined || next.at > now) return { outcome: 'unchanged', task: scheduled(task) };
  switch (next.what) {
    case 'ripen':
      return changed(task, 'ripen', 'task.queued', now, queued(task, 'due', now, 0));
    case 'offer':
      return {
        outcome: 'unchanged',
        task: scheduled({ ...task, offerTries: task.offerTries + 1 }),
        offer: true,
      };
    case 'start_timeout':
      return undelivered(task, 'timeout', now);
    case 'timeout': {
      const message = `not finished within ${task.timeout} s`;
      return fail(task, 'timeout', { code: 'timeout', message, retryable: true }, now);
    }
  }
}

/** Fields of a task that is (again) for anyone to take, `delayMs` from now. */
export function queued(task: Task, reason: string, now: number, delayMs: number) {
  return {
    status: 'queued',
    statusReason: reason,
    assignedTo: null,
    assignedAt: null,
    startedAt: null,
    queuedAt: now,
    firstQueuedAt: task.firstQueuedAt ?? now,
    queueKey: task.queueKey ?? queueKey(task, now),
    availableAt: delayMs > 0 ? now + delayMs : null,
    backlogClass: delayMs > 0 ? null : task.needsClass,
  } satisfies Partial<TaskProgression>;
}

function queueKey(task: Task, firstQueuedAt: number): number {
  return firstQueuedAt + PRIORITY_OFFSET_SECONDS[task.priority] * 1_000;
}

/** How long a task must still wait for its own `availableAt`. */
function remaining(task: Task, now: number): number {
  return task.availableAt === null ? 0 : Math.max(0, task.availableAt - now);
}

function ended(status: 'completed' | 'failed' | 'cancelled', reason: string | null, task: Task, now: number) {
  const begun = task.startedAt ?? task.assignedAt;
  return {
    status,
    statusReason: reason,
    assignedTo: null,
    completedAt: now,
    availableAt: null,
    backlogClass: null,
    actualDuration: begun === null ? null : (now - begun) / 1_000,
  } satisfies Partial<TaskProgression>;
}

function failedBySystem(
  task: Task,
  arrow: ArrowName,
  code: string,
  message: string,
  more: Partial<TaskProgression>,
  now: number,
): Changed {
  const error = { code, message, retryable: false };
  return changed(task, arrow, 'task.failed', now, { ...ended('failed', code, task, now), ...more, error });
}

/** The agent that just had the task is passed over for a while; those whose time is over are forgotten. */
function skip(task: Task, now: number): readonly SkippedAgent[] {
  const kept = task.skippedAgents.filter(({ agentId, until }) => until > now && agentId !== task.assignedTo);
  if (task.assignedTo === null) return kept;
  return [...kept, { agentId: task.assignedTo, until: now + DEFAULTS.skipAgentMs }];
}

function changed(
  task: Task,
  arrow: ArrowName,
  event: TaskEventType,
  now: number,
  changes: Partial<TaskProgression>,
  more: Pick<Changed, 'detail' | 'result'> = {},
): Changed {
  const next = {
    ...task,
    ...changes,
    offerTries: 0,
    offerAcceptedAt: null,
    version: task.version + 1,
    updatedAt: now,
  };
  return { outcome: 'changed', task: scheduled(next), arrow, event, ...more };
}

function scheduled(task: Task): Task {
  return { ...task, dueAt: nextDue(task)?.at ?? null };
}

function conflict(task: Task, why: string): DomainError {
  const state = task.statusReason === null ? task.status : `${task.status} (${task.statusReason})`;
  return new DomainError('TASK_STATE_CONFLICT', `Task ${task.id} is ${state}: ${why}`, {
    details: { status: task.status, statusReason: task.statusReason, version: task.version },
  });
}

function stale(code: 'STALE_ATTEMPT' | 'STALE_SESSION', task: Task, got: string): DomainError {
  const message = `Task ${task.id} is at attempt ${task.attempt} (${task.status}); refused ${got}. Drop the work.`;
  return new DomainError(code, message, { details: { attempt: task.attempt, status: task.status } });
}
