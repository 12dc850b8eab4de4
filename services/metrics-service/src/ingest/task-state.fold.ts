import { isTerminal, type TaskEvent, type TaskStatus } from '@baton/contracts';

/** A task removed before it ended counts nowhere; its row only tells repetitions. */
export type CountedStatus = TaskStatus | 'deleted';

/** What figures need to know about a task: the state its latest event told. Timestamps are ISO 8601. */
export type TaskState = {
  readonly taskId: string;
  readonly status: CountedStatus;
  readonly type: string;
  readonly priority: number;
  /** Who holds the task or ended it; empty in every other state. */
  readonly agent: string;
  readonly createdAt: string;
  readonly firstQueuedAt: string | null;
  readonly endedAt: string | null;
};

/** The state an event tells. A task deleted after its end keeps its end: the work was done or it failed. */
export function stateOf(event: TaskEvent): TaskState {
  const { data } = event;
  const ended = isTerminal(data.status);
  return {
    taskId: event.subject,
    status: event.type === 'task.deleted' && !ended ? 'deleted' : data.status,
    type: data.type,
    priority: data.priority,
    agent: isBound(event) ? (data.agent ?? '') : '',
    createdAt: data.createdAt,
    firstQueuedAt: data.firstQueuedAt,
    endedAt: ended ? (data.completedAt ?? event.time) : null,
  };
}

/** A task that waits, or was ended while it waited, still names its last agent: it is nothing of that agent's. */
function isBound({ data }: TaskEvent): boolean {
  if (isTerminal(data.status)) return data.assignedAt !== null;
  return data.status === 'assigned' || data.status === 'in_progress';
}
