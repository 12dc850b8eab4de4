import type { TaskEventType } from '@baton/contracts';
import type { Changed, Task } from '../tasks/task.js';
import type { EventRow } from './event.store.js';
import type { Submission } from './submission.js';

/** What one accepted change tells of a task: `data` is kept, `detail` published; the first change has no `before`. */
export type Told = {
  readonly type: TaskEventType;
  readonly data: string;
  readonly detail?: Changed['detail'];
  readonly before?: Task;
};

/** The change as the history keeps it. */
export function toEventRow(submission: Submission, task: Task, { type, data }: Told): EventRow {
  return {
    taskId: task.id,
    version: task.version,
    type,
    data,
    actor: submission.actor,
    reason: task.statusReason,
    attempt: task.attempt,
    commandId: submission.commandId,
    traceparent: submission.traceparent,
    at: task.updatedAt,
  };
}
