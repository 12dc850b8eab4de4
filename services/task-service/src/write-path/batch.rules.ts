import { DomainError, type TaskStatus } from '@baton/contracts';
import { allows, ARROWS, endsOf, isTerminal, type TaskCommand } from '../tasks/task.state.js';
import type { Accepted, Changed, Command, Task } from '../tasks/task.js';

/** Whether the command changes a task that ended with this status: where it is archived, it is moved back first. */
export function changesEnded({ kind }: Command, status: TaskStatus): boolean {
  return (kind === 'reopen' || kind === 'delete') && isTerminal(status) && allows(kind, status);
}

/**
 * Why a command may not change a task that is still in the archive: it met it on its way there, or in a month that is
 * being exported. Asked before the rules are, because what they look at is read of hot tasks alone; whatever else is
 * said to a task that has ended they refuse, or have nothing to do for.
 */
export function refuseArchived(command: TaskCommand, task: Task): DomainError | undefined {
  if (!changesEnded(command, task.status)) return undefined;
  const message = `Task ${task.id} can only be read now: it is just moving to the archive, or leaving it for good. Try again in a moment.`;
  return new DomainError('TASK_STATE_CONFLICT', message, { details: { status: task.status } });
}

/** What the sender of a command is told of its task. */
export function toAccepted(task: Task): Accepted {
  return { taskId: task.id, status: task.status, attempt: task.attempt, version: task.version };
}

/** Whether there is something to write where nothing changed. */
export function bookkeepingDiffers(before: Task, after: Task): boolean {
  return before.dueAt !== after.dueAt || before.offerTries !== after.offerTries;
}

/** The table of arrows holds whatever `decide` says: a fault here must not reach the database. */
export function assertArrow(before: Task, { arrow, task, event }: Changed): void {
  const { events } = ARROWS[arrow];
  const listed =
    allows(arrow, before.status) &&
    endsOf(arrow, before.status).includes(task.status) &&
    (events as readonly string[]).includes(event);
  if (!listed) throw new Error(`${arrow} from ${before.status} to ${task.status} with ${event} is no arrow`);
}
