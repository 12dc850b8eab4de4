import type { DomainError } from '@baton/contracts';
import { verdictOf } from './dependency.decide.js';
import { changed, conflict, queued, remaining } from './outcome.decide.js';
import { allows } from './task.state.js';
import type { Decided, Related, Task } from './task.js';

/** A task that was kept back goes on: into the queue, or to wait for what it depends on. */
export function release(task: Task, related: Related, now: number): Decided | DomainError {
  if (!allows('release', task.status)) return conflict(task, 'only a task that is held back can be released');
  if (verdictOf(related.dependencies).is !== 'met') {
    // One that is broken ends it at the look that follows every beginning of a wait.
    return changed(task, 'release', 'task.blocked', now, { status: 'blocked', statusReason: 'dependency' });
  }
  return changed(task, 'release', 'task.queued', now, queued(task, 'released', now, remaining(task, now)));
}
