import { DEFAULTS, isTerminal } from '@baton/contracts';
import type { Task } from './task.js';

type DueFields = Pick<
  Task,
  | 'status'
  | 'availableAt'
  | 'assignedAt'
  | 'startedAt'
  | 'startTimeout'
  | 'timeout'
  | 'offerTries'
  | 'offerAcceptedAt'
  | 'backlogClass'
  | 'deadline'
>;

export type Due = 'ripen' | 'offer' | 'start_timeout' | 'timeout' | 'deadline';

type NextDue = { readonly at: number; readonly what: Due };

/** The earliest moment a timer must look at the task, and what for; nothing while no limit runs. */
export function nextDue(task: DueFields): NextDue | undefined {
  if (isTerminal(task.status)) return undefined;
  const limit = limitOf(task);
  const { deadline } = task;
  if (deadline === null || (limit !== undefined && limit.at < deadline)) return limit;
  return { at: deadline, what: 'deadline' };
}

/** The limit of the state the task is in. */
function limitOf(task: DueFields): NextDue | undefined {
  switch (task.status) {
    case 'queued':
      return task.backlogClass === null && task.availableAt !== null
        ? { at: task.availableAt, what: 'ripen' }
        : undefined;
    case 'assigned':
      return assignedDue(task, task.assignedAt ?? 0);
    case 'in_progress':
      return task.timeout === null
        ? undefined
        : { at: (task.startedAt ?? 0) + task.timeout * 1_000, what: 'timeout' };
    default:
      return undefined;
  }
}

/**
 * An assignment is offered again while unanswered, spacing doubled each time; after the last try it expires.
 * The answer to the very first offer is not written down: `start` nearly always follows within milliseconds,
 * and a write per task would cost more than one more (idempotent) offer of the few that wait longer.
 */
function assignedDue(task: DueFields, assignedAt: number): NextDue {
  const startBy = assignedAt + task.startTimeout * 1_000;
  if (task.offerAcceptedAt !== null) return { at: startBy, what: 'start_timeout' };
  const offerAt = assignedAt + DEFAULTS.offerAgainMs * (2 ** (task.offerTries + 1) - 1);
  if (offerAt >= startBy) return { at: startBy, what: 'start_timeout' };
  return { at: offerAt, what: task.offerTries + 1 >= DEFAULTS.offerTries ? 'start_timeout' : 'offer' };
}
