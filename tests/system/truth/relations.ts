import type { HistoryEvent } from './history.js';
import { TERMINAL } from './moves.js';

/** A task as others look at it. */
export type Relative = {
  readonly id: string;
  readonly status: string;
  readonly parentTaskId: string | null;
  readonly detached: boolean;
  readonly createdAt: number;
  readonly completedAt: number | null;
};

/** Tells where a task was handed out before all it depends on had completed, or gave up without a cause. */
export function checkDependencies(
  events: readonly HistoryEvent[],
  dependencies: readonly Relative[],
): readonly string[] {
  return events.flatMap(({ type, reason, at }) => {
    if (type === 'task.assigned' || type === 'task.started') {
      const unmet = dependencies.find((one) => one.status !== 'completed' || !isOverBy(one, at));
      return unmet === undefined
        ? []
        : [`${type} before task ${unmet.id} had completed, on which it depends`];
    }
    if (reason !== 'dependency_failed') return [];
    const hasCause = dependencies.some((one) => one.status !== 'completed' && isOverBy(one, at));
    return hasCause ? [] : [`${reason}, but none of its dependencies had failed or been cancelled`];
  });
}

/** Tells which children outlived their parents' cancellation, or were born after their end. */
export function checkChildren(tasks: ReadonlyMap<string, Relative>): readonly string[] {
  return [...tasks.values()].flatMap((child) => {
    const parent = child.parentTaskId === null ? undefined : tasks.get(child.parentTaskId);
    if (parent === undefined || !TERMINAL.includes(parent.status)) return [];
    const isOrphan = parent.status === 'cancelled' && !child.detached && !TERMINAL.includes(child.status);
    return [
      ...(isOrphan ? [`task ${child.id} is ${child.status}, but its parent ${parent.id} was cancelled`] : []),
      ...(isOverBy(parent, child.createdAt - 1)
        ? [`task ${child.id} was born after its parent ${parent.id} ended`]
        : []),
    ];
  });
}

function isOverBy({ completedAt }: Relative, at: number): boolean {
  return completedAt !== null && completedAt <= at;
}
