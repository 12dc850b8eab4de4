import { DomainError, isTerminal, LIMITS, type Actor, type TaskStatus } from '@baton/contracts';
import { refuseSpawn, type TreeSpending } from '../usage/budget.decide.js';
import { aimedChain, refuseAim } from './aim.decide.js';
import { isMet } from './dependency.decide.js';
import { refuseCycle } from './edges.decide.js';
import { conflict, queued, scheduled } from './outcome.decide.js';
import { refuseStale } from './task.decide.js';
import type { CreateCommand, Named, NewTask, Task } from './task.js';

/** An existing task a new one depends on. */
export type ExistingDependency = {
  readonly id: string;
  readonly status: TaskStatus;
  /** Its month is being exported from the archive: nothing new may depend on it. */
  readonly leaving?: boolean;
};

export type CreateRelated = {
  readonly parent: Task | undefined;
  readonly parentLiveEpoch: number | null;
  /** Children the parent has already. */
  readonly siblings: number;
  readonly dependencies: ReadonlyMap<string, ExistingDependency>;
  readonly named?: Named;
  /** Of the parent's tree, if it has a budget; what this batch adds counts. */
  readonly spending?: TreeSpending | undefined;
  /** Which tasks wait for which, where the create may close a cycle. */
  readonly waits: ReadonlyMap<string, readonly string[]>;
};

export type Created = { readonly tasks: readonly Task[] };

/**
 * Decides a create of one task, many, or a graph: all of them or none. Edges among the new tasks were checked
 * for cycles before (`task.graph.ts`); edges to existing tasks can close one only over a parent that waits for its
 * children, since nothing else waits for a task that does not exist yet.
 */
export function decideCreate(
  command: CreateCommand,
  actor: Actor,
  related: CreateRelated,
  traceparent: string | null,
  now: number,
): Created | DomainError {
  const refusal =
    refuseParent(command, related) ??
    refuseBudget(command, related, now) ??
    refuseAim(command.tasks, actor, related.parent, related.named) ??
    refuseDependencies(command, related) ??
    refuseCycleOver(command, related);
  if (refusal) return refusal;
  const added = new Set(command.tasks.map(({ id }) => id));
  const at = Math.max(now, related.parent?.createdAt ?? 0);
  return {
    tasks: command.tasks.map((task) =>
      newTask(task, actor, related.parent, isBlocked(task, added, related), traceparent, at),
    ),
  };
}

function refuseParent(command: CreateCommand, related: CreateRelated): DomainError | undefined {
  if (command.parent === undefined) return undefined;
  const { parent } = related;
  if (parent === undefined) {
    return new DomainError('TASK_NOT_FOUND', `The parent task ${command.parent.taskId} does not exist`);
  }
  const { fence } = command.parent;
  const refusal = fence && refuseStale(parent, { liveEpoch: related.parentLiveEpoch }, fence);
  if (refusal) return refusal;
  if (isTerminal(parent.status)) return conflict(parent, 'it has ended and gets no more children');
  if (parent.depth + 1 > LIMITS.treeDepth) {
    return new DomainError('DELEGATION_DEPTH', `A task tree is at most ${LIMITS.treeDepth} deep`);
  }
  const children = related.siblings + command.tasks.length;
  if (children <= LIMITS.childrenPerTask) return undefined;
  const message = `A task has at most ${LIMITS.childrenPerTask} children; this would make ${children}`;
  return new DomainError('DELEGATION_FANOUT', message);
}

function refuseBudget(
  { tasks, parent }: CreateCommand,
  { spending }: CreateRelated,
  now: number,
): DomainError | undefined {
  if (parent === undefined) return undefined;
  if (tasks.some(({ budget }) => budget !== null)) {
    const message = 'A budget is of a whole tree: give it to the task at the root, not to a child';
    return new DomainError('VALIDATION_FAILED', message);
  }
  return spending && refuseSpawn(spending, tasks.length, now);
}

function refuseDependencies(command: CreateCommand, related: CreateRelated): DomainError | undefined {
  const added = new Set(command.tasks.map(({ id }) => id));
  for (const task of command.tasks) {
    for (const { taskId } of task.dependencies) {
      if (added.has(taskId)) continue;
      const dependency = related.dependencies.get(taskId);
      if (dependency === undefined || dependency.leaving || command.unseen?.has(taskId)) {
        return new DomainError(
          'DEPENDENCY_NOT_FOUND',
          `Task ${task.title}: there is no task ${taskId} to depend on`,
        );
      }
    }
  }
  return undefined;
}

/** A new child must not wait for what waits for its parent, while that waits for its children. */
function refuseCycleOver(command: CreateCommand, { parent, waits }: CreateRelated): DomainError | undefined {
  if (parent?.status !== 'blocked' || parent.statusReason !== 'children') return undefined;
  const added = command.tasks.map(
    ({ id, dependencies }) => [id, dependencies.map(({ taskId }) => taskId)] as const,
  );
  const all = new Map([...waits, ...added]);
  for (const { id, detached } of command.tasks) {
    const refusal = detached ? undefined : refuseCycle(parent.id, id, { waits: all });
    if (refusal) return refusal;
  }
  return undefined;
}

function isBlocked(task: NewTask, added: ReadonlySet<string>, related: CreateRelated): boolean {
  return task.dependencies.some(({ taskId, policy }) => {
    const status = related.dependencies.get(taskId)?.status;
    return added.has(taskId) || status === undefined || !isMet({ policy, status });
  });
}

function newTask(
  task: NewTask,
  actor: Actor,
  parent: Task | undefined,
  blocked: boolean,
  traceparent: string | null,
  now: number,
): Task {
  const waiting: Task = {
    id: task.id,
    type: task.type,
    priority: task.priority,
    createdBy: actor,
    parentTaskId: parent?.id ?? null,
    rootTaskId: parent?.rootTaskId ?? task.id,
    depth: parent === undefined ? 0 : parent.depth + 1,
    detached: task.detached,
    requiredCapabilities: task.requiredCapabilities,
    preferredCapabilities: task.preferredCapabilities,
    criteria: task.criteria,
    needsClass: task.needsClass,
    maxRetries: task.maxRetries,
    retryPolicy: task.retryPolicy,
    timeout: task.timeout,
    startTimeout: task.startTimeout,
    queueTimeout: task.queueTimeout,
    progressTimeout: task.progressTimeout,
    deadline: task.deadline,
    budget: task.budget,
    traceparent,
    status: 'blocked',
    statusReason: 'dependency',
    version: 1,
    createdAt: now,
    updatedAt: now,
    assignedTo: null,
    holderEpoch: null,
    lastAgentId: null,
    attempt: 0,
    retryCount: 0,
    lostCount: 0,
    handoverCount: 0,
    excludedAgents: task.criteria.excludedAgents ?? [],
    skippedAgents: [],
    firstQueuedAt: null,
    queuedAt: null,
    availableAt: task.availableAt,
    assignedAt: null,
    startedAt: null,
    completedAt: null,
    actualDuration: null,
    queueKey: null,
    backlogClass: null,
    awaitedChildren: null,
    pinnedTo: null,
    pinnedUntil: null,
    delegationChain: aimedChain(task, actor, parent),
    returnTo: null,
    error: null,
    dueAt: null,
    offerTries: 0,
    offerAcceptedAt: null,
  };
  if (task.hold) return scheduled({ ...waiting, status: 'created', statusReason: 'held' });
  if (blocked) return scheduled(waiting);
  const delay = task.availableAt === null ? 0 : task.availableAt - now;
  return scheduled({ ...waiting, ...queued(waiting, 'created', now, delay) });
}
