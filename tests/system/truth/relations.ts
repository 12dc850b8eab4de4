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

/** A task another one depends on, and how: since when the edge is there, and every end the task came to. */
export type Dependency = {
  readonly id: string;
  readonly policy: string;
  readonly since: number;
  readonly ends: readonly { readonly status: string; readonly at: number }[];
};

/** Tells where a task was handed out before all it depends on had completed, or gave up without a cause. */
export function checkDependencies(
  events: readonly HistoryEvent[],
  dependencies: readonly Dependency[],
): readonly string[] {
  return events.flatMap(({ type, reason, at }) => {
    if (type === 'task.assigned' || type === 'task.started') {
      const unmet = dependencies.find((one) => one.since <= at && !wasMetBy(one, at));
      return unmet === undefined
        ? []
        : [`${type} before task ${unmet.id} had completed, on which it depends`];
    }
    if (reason !== 'dependency_failed') return [];
    const hasCause = dependencies.some((one) => wasBrokenBy(one, at));
    return hasCause ? [] : [`${reason}, but none of its dependencies had failed or been cancelled`];
  });
}

/** Every end of a task, reopened ones among them. */
export function endsOf(events: readonly HistoryEvent[]): Dependency['ends'] {
  return events
    .map(({ type, at }) => ({ status: type.replace('task.', ''), at }))
    .filter(({ status }) => TERMINAL.includes(status));
}

function wasMetBy({ policy, ends }: Dependency, at: number): boolean {
  return ends.some((end) => end.at <= at && (end.status === 'completed' || policy === 'ignore'));
}

function wasBrokenBy({ policy, ends }: Dependency, at: number): boolean {
  const ending = policy === 'fail' || policy === 'cancel';
  return ending && ends.some((end) => end.at <= at && end.status !== 'completed');
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
