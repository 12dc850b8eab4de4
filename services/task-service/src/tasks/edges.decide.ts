import { DomainError, LIMITS } from '@baton/contracts';
import { verdictOf, type Edge } from './dependency.decide.js';
import { changed, conflict, queued, remaining } from './outcome.decide.js';
import { findPath } from './task.graph.js';
import type { Changed, Command, CreateCommand, Decided, Related, Task } from './task.js';
import type { TaskCommand } from './task.state.js';

type Link = Extract<TaskCommand, { kind: 'link' }>;

/**
 * Whether a command may close a cycle of tasks that wait for each other. No other create can: nothing waits for a task
 * that does not exist yet but a parent that is there, and it for nothing but tasks that are there.
 */
export function mayCloseCycle(command: Command): boolean {
  if (command.kind === 'link') return true;
  if (command.kind === 'block') return command.block.reason === 'children';
  return command.kind === 'create' && command.parent !== undefined && outerDependencies(command).length > 0;
}

/** The existing tasks that tasks to be created depend on. */
export function outerDependencies({ tasks }: CreateCommand): readonly string[] {
  const own = new Set(tasks.map(({ id }) => id));
  const all = tasks.flatMap(({ dependencies }) => dependencies.map(({ taskId }) => taskId));
  return all.filter((id) => !own.has(id));
}

/** Puts an edge on a task that was not started, or changes the one that is there. */
export function link(
  task: Task,
  related: Related,
  { dependsOn, policy, name }: Link,
  now: number,
): Decided | DomainError {
  const refusal = refuseStarted(task);
  if (refusal) return refusal;
  const { other, dependencies } = related;
  if (other === undefined) {
    return new DomainError('DEPENDENCY_NOT_FOUND', `There is no task ${dependsOn} to depend on`);
  }
  const known = dependencies.find(({ taskId }) => taskId === dependsOn);
  if (known?.policy === policy && known.name === name) return { outcome: 'unchanged', task };
  if (known === undefined) {
    const refused = refuseMore(dependencies) ?? refuseCycle(task.id, dependsOn, related);
    if (refused) return refused;
  }
  const edge = { taskId: dependsOn, policy, name };
  const edges = [...dependencies.filter((one) => one !== known), { ...edge, status: other.status }];
  return relinked(task, edges, { arrow: 'link', detail: { linked: edge } }, now);
}

/** Takes an edge away; one that is not there is away already. */
export function unlink(
  task: Task,
  { dependencies }: Related,
  dependsOn: string,
  now: number,
): Decided | DomainError {
  const refusal = refuseStarted(task);
  if (refusal) return refusal;
  const left = dependencies.filter(({ taskId }) => taskId !== dependsOn);
  if (left.length === dependencies.length) return { outcome: 'unchanged', task };
  return relinked(task, left, { arrow: 'unlink', detail: { unlinked: { taskId: dependsOn } } }, now);
}

/** A refusal when the edge would have tasks wait for each other, with the way from the task back to itself. */
export function refuseCycle(
  from: string,
  to: string,
  { waits = new Map() }: Pick<Related, 'waits'>,
): DomainError | undefined {
  const back = findPath(waits, to, from);
  if (back === undefined) return undefined;
  const path = [from, ...back];
  return new DomainError('DEPENDENCY_CYCLE', `These tasks would wait for each other: ${path.join(' -> ')}`, {
    details: { path },
  });
}

function refuseStarted(task: Task): DomainError | undefined {
  const waits = task.status === 'blocked' && task.statusReason === 'dependency';
  if (waits || task.status === 'queued' || task.status === 'created') return undefined;
  return conflict(task, 'dependencies change only while a task is created, queued or waits for them');
}

function refuseMore(dependencies: readonly Edge[]): DomainError | undefined {
  if (dependencies.length < LIMITS.dependencies) return undefined;
  const message = `A task has at most ${LIMITS.dependencies} dependencies; wait for a task that waits for some of them`;
  return new DomainError('VALIDATION_FAILED', message);
}

/** What the edges as they are now make of a task. One that they end is ended by the look that follows. */
function relinked(
  task: Task,
  edges: readonly Edge[],
  { arrow, detail }: { readonly arrow: 'link' | 'unlink'; readonly detail: Changed['detail'] & object },
  now: number,
): Changed {
  const same = { backlogClass: task.backlogClass };
  if (task.status === 'created') return changed(task, arrow, 'task.updated', now, same, { detail });
  if (verdictOf(edges).is !== 'met') {
    const waits = { status: 'blocked', statusReason: 'dependency' } as const;
    const event = task.status === 'blocked' ? 'task.updated' : 'task.blocked';
    return changed(task, arrow, event, now, waits, { detail });
  }
  if (task.status === 'queued') return changed(task, arrow, 'task.updated', now, same, { detail });
  const ready = queued(task, 'unblocked', now, remaining(task, now));
  return changed(task, arrow, 'task.queued', now, ready, { detail });
}
