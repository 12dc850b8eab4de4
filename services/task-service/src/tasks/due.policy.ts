import { DEFAULTS, isTerminal } from '@baton/contracts';
import type { Task } from './task.js';

type DueFields = Pick<
  Task,
  | 'status'
  | 'createdAt'
  | 'queuedAt'
  | 'availableAt'
  | 'assignedAt'
  | 'startedAt'
  | 'startTimeout'
  | 'timeout'
  | 'queueTimeout'
  | 'progressTimeout'
  | 'offerTries'
  | 'offerAcceptedAt'
  | 'backlogClass'
  | 'pinnedUntil'
  | 'deadline'
  | 'statusReason'
  | 'criteria'
>;

export type Due =
  | 'ripen'
  | 'unpin'
  | 'offer'
  | 'steal'
  | 'start_timeout'
  | 'timeout'
  | 'progress_timeout'
  | 'queue_timeout'
  | 'deadline';

type NextDue = { readonly at: number; readonly what: Due };

/**
 * The earliest moment a timer must look at the task, and what for; nothing while no limit runs. When the attempt last
 * reported progress is not in the row, which would have to be written each time: only a timer that finds the limit
 * passed looks there, and comes back later where there was some.
 */
export function nextDue(task: DueFields, progressAt: number | null = null): NextDue | undefined {
  if (isTerminal(task.status)) return undefined;
  const { deadline } = task;
  return earliest([
    ...limitsOf(task, progressAt),
    ...(deadline === null ? [] : [{ at: deadline, what: 'deadline' } as const]),
  ]);
}

/** The first of those that come at the same time. */
function earliest(limits: readonly NextDue[]): NextDue | undefined {
  const at = Math.min(...limits.map((limit) => limit.at));
  return limits.find((limit) => limit.at === at);
}

/** The limits of the state the task is in. */
function limitsOf(task: DueFields, progressAt: number | null): readonly NextDue[] {
  switch (task.status) {
    case 'created':
    case 'blocked':
      return waitingLimits(task);
    case 'queued':
      if (task.backlogClass === null && task.availableAt !== null)
        return [{ at: task.availableAt, what: 'ripen' }, ...waitingLimits(task)];
      return task.pinnedUntil === null
        ? waitingLimits(task)
        : [{ at: task.pinnedUntil, what: 'unpin' }, ...waitingLimits(task)];
    case 'assigned':
      return [assignedDue(task, task.assignedAt ?? 0)];
    case 'in_progress':
      return workingLimits(task, task.startedAt ?? 0, progressAt);
    default:
      return [];
  }
}

function waitingLimits({ queueTimeout, queuedAt, createdAt }: DueFields): readonly NextDue[] {
  if (queueTimeout === null) return [];
  return [{ at: (queuedAt ?? createdAt) + queueTimeout * 1_000, what: 'queue_timeout' }];
}

function workingLimits(
  { timeout, progressTimeout }: DueFields,
  startedAt: number,
  progressAt: number | null,
): readonly NextDue[] {
  const heardAt = Math.max(startedAt, progressAt ?? startedAt);
  return [
    ...(timeout === null ? [] : [{ at: startedAt + timeout * 1_000, what: 'timeout' } as const]),
    ...(progressTimeout === null
      ? []
      : [{ at: heardAt + progressTimeout * 1_000, what: 'progress_timeout' } as const]),
  ];
}

/**
 * Whether an idle agent may have the task instead, as long as it is not started: the distribution chose its agent, and
 * nobody else did, by a pin, by hand or by handing it on. What was taken from an agent so is not taken from the next.
 */
export function isStealable(task: Pick<Task, 'status' | 'statusReason' | 'criteria'>): boolean {
  return task.status === 'assigned' && task.statusReason === null && task.criteria.pin === undefined;
}

/**
 * An assignment is offered again while unanswered, spacing doubled each time; after the last try it expires.
 * The answer to the very first offer is not written down: `start` nearly always follows within milliseconds,
 * and a write per task would cost more than one more (idempotent) offer of the few that wait longer.
 */
function assignedDue(task: DueFields, assignedAt: number): NextDue {
  const startBy = assignedAt + task.startTimeout * 1_000;
  if (task.offerAcceptedAt !== null) {
    const stealAt =
      assignedAt + DEFAULTS.stealAfterMs * Math.max(1, task.offerTries + 1 - DEFAULTS.offerTries);
    return isStealable(task) && stealAt < startBy
      ? { at: stealAt, what: 'steal' }
      : { at: startBy, what: 'start_timeout' };
  }
  const offerAt = assignedAt + DEFAULTS.offerAgainMs * (2 ** (task.offerTries + 1) - 1);
  if (offerAt >= startBy) return { at: startBy, what: 'start_timeout' };
  return { at: offerAt, what: task.offerTries + 1 >= DEFAULTS.offerTries ? 'start_timeout' : 'offer' };
}
