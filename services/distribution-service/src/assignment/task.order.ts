import type { BacklogCursor, QueuedTask } from '@baton/contracts';

/** The order in which tasks get agents: by queue key, then id. */
export function compareTasks(one: QueuedTask, other: QueuedTask): number {
  const difference = one.needs.queueKey - other.needs.queueKey;
  if (difference !== 0) return difference;
  if (one.id === other.id) return 0;
  return one.id < other.id ? -1 : 1;
}

/** Where a reader of the backlog stands that has read up to this task. */
export function positionOf(task: QueuedTask): BacklogCursor {
  return { queueKey: task.needs.queueKey, id: task.id };
}

/** Whether a reader that stands there has this task still before it. */
export function isBehind({ id, needs }: QueuedTask, cursor: BacklogCursor): boolean {
  return needs.queueKey > cursor.queueKey || (needs.queueKey === cursor.queueKey && id > cursor.id);
}
