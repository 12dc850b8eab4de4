import { DomainError } from '@baton/contracts';
import { verdictOf } from './dependency.decide.js';
import { changed, conflict, queued, remaining } from './outcome.decide.js';
import { allows } from './task.state.js';
import { refuseNewInput, type ReopenCommand } from './task.changes.js';
import type { Decided, Related, Task } from './task.js';
import { revise } from './update.decide.js';

/** A task that was kept back goes on: into the queue, or to wait for what it depends on. */
export function release(task: Task, related: Related, now: number): Decided | DomainError {
  if (!allows('release', task.status)) return conflict(task, 'only a task that is held back can be released');
  if (verdictOf(related.dependencies).is !== 'met') {
    // One that is broken ends it at the look that follows every beginning of a wait.
    return changed(task, 'release', 'task.blocked', now, { status: 'blocked', statusReason: 'dependency' });
  }
  return changed(task, 'release', 'task.queued', now, queued(task, 'released', now, remaining(task, now)));
}

/**
 * A task that failed or was cancelled begins anew, with what is to be changed: its tries, losses and place in the queue
 * as those of a new task. Attempts count on: what was said about an earlier one stays refused.
 */
export function reopen(
  task: Task,
  related: Related,
  command: ReopenCommand,
  now: number,
): Decided | DomainError {
  if (!allows('reopen', task.status))
    return conflict(task, 'only what failed or was cancelled can be reopened');
  const { parentStatus } = related;
  if ((parentStatus === 'cancelled' || parentStatus === 'failed') && !task.detached)
    return conflict(task, 'its parent has ended, and it would be cancelled again; reopen that first');
  if (related.described === undefined) throw new Error(`the fields of task ${task.id} were not read`);
  const { changes } = command;
  const refused = refuseNewInput(command, changes);
  if (refused !== undefined) return refused;
  const { state, described } = revise(task, related.described, changes, now);
  const anew: Task = { ...task, ...state, ...BEGINNING };
  if (anew.deadline !== null && anew.deadline <= now)
    return conflict(task, 'its deadline has passed; give another one, or null');
  const fields = { ...state, ...BEGINNING, excludedAgents: anew.criteria.excludedAgents ?? [] };
  const more = { described };
  if (verdictOf(related.dependencies).is === 'met') {
    return changed(
      task,
      'reopen',
      'task.queued',
      now,
      { ...fields, ...queued(anew, 'reopened', now, 0) },
      more,
    );
  }
  const waiting = { status: 'blocked', statusReason: 'dependency', queuedAt: now } as const;
  return changed(task, 'reopen', 'task.blocked', now, { ...fields, ...waiting }, more);
}

/** The task goes; its last event says so. */
export function remove(task: Task, { hindrance }: Related, now: number): Decided | DomainError {
  if (!allows('delete', task.status)) return conflict(task, 'only what ended or is held back can be deleted');
  if (hindrance !== undefined) {
    const message = `Task ${task.id} cannot be deleted: ${hindrance}`;
    return new DomainError('TASK_HAS_DEPENDENTS', message, { details: { status: task.status } });
  }
  return changed(task, 'delete', 'task.deleted', now, {});
}

/** What a task has not been through yet. */
const BEGINNING = {
  retryCount: 0,
  lostCount: 0,
  handoverCount: 0,
  skippedAgents: [],
  firstQueuedAt: null,
  queueKey: null,
  availableAt: null,
  assignedAt: null,
  startedAt: null,
  completedAt: null,
  actualDuration: null,
  delegationChain: [],
  returnTo: null,
} satisfies Partial<Task>;
