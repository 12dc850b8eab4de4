import { DomainError, type CreateGraph, type CreateTask, type GraphTask } from '@baton/contracts';
import { needsClass } from './needs-class.js';
import { findCycle } from './task.graph.js';
import type { NewDependency, NewTask } from './task.js';

/** Gives the id of a new task. */
type MintId = () => string;

/** A task to be created, with its id minted before the first try: a repetition after a lost answer finds the first. */
export function toNewTask(task: CreateTask, mintId: MintId): NewTask {
  return newTask(task, mintId(), unique(task.title, task.dependencies.map(toDependency)));
}

/** The tasks of a graph with references resolved to ids; refuses unknown and repeated references, and cycles. */
export function toNewTasks({ tasks }: CreateGraph, mintId: MintId): readonly NewTask[] {
  const ids = new Map<string, string>();
  for (const { ref } of tasks) {
    if (ids.has(ref)) throw invalid(`the ref "${ref}" is used twice; every task of a graph needs its own`);
    ids.set(ref, mintId());
  }
  refuseCycle(tasks);
  return tasks.map((task) => {
    const dependencies = task.dependencies.map((dependency) => {
      if ('taskId' in dependency) return toDependency(dependency);
      const taskId = ids.get(dependency.ref);
      if (taskId === undefined)
        throw invalid(`"${task.ref}" depends on "${dependency.ref}", which is no task of the graph`);
      return { taskId, policy: dependency.policy, name: dependency.name ?? dependency.ref };
    });
    return { ...newTask(task, ids.get(task.ref) ?? '', unique(task.ref, dependencies)), ref: task.ref };
  });
}

function refuseCycle(tasks: readonly GraphTask[]): void {
  const edges = new Map(
    tasks.map(({ ref, dependencies }) => [
      ref,
      dependencies.flatMap((edge) => ('ref' in edge ? [edge.ref] : [])),
    ]),
  );
  const path = findCycle(edges);
  if (path === undefined) return;
  throw new DomainError('DEPENDENCY_CYCLE', `These tasks wait for each other: ${path.join(' -> ')}`, {
    details: { path },
  });
}

function unique(title: string, dependencies: readonly NewDependency[]): readonly NewDependency[] {
  const repeated = dependencies.find(({ taskId }, index) =>
    dependencies.slice(0, index).some((earlier) => earlier.taskId === taskId),
  );
  if (repeated) throw invalid(`"${title}" names the dependency ${repeated.name ?? repeated.taskId} twice`);
  return dependencies;
}

function invalid(message: string): DomainError {
  return new DomainError('VALIDATION_FAILED', message, {
    details: { errors: [{ pointer: '/tasks', code: 'graph', detail: message }] },
  });
}

function toDependency({ taskId, policy, name }: CreateTask['dependencies'][number]): NewDependency {
  return { taskId, policy, name: name ?? null };
}

function newTask(
  task: Omit<CreateTask, 'dependencies'>,
  id: string,
  dependencies: readonly NewDependency[],
): NewTask {
  return {
    id,
    title: task.title,
    description: task.description,
    type: task.type,
    priority: task.priority,
    tags: task.tags,
    metadata: task.metadata,
    requiredCapabilities: task.requiredCapabilities,
    preferredCapabilities: task.preferredCapabilities,
    criteria: task.criteria,
    needsClass: needsClass(task),
    maxRetries: task.maxRetries,
    retryPolicy: task.retryPolicy,
    timeout: task.timeout ?? null,
    startTimeout: task.startTimeout,
    queueTimeout: task.queueTimeout ?? null,
    progressTimeout: task.progressTimeout ?? null,
    availableAt: task.availableAt === undefined ? null : Date.parse(task.availableAt),
    deadline: task.deadline === undefined ? null : Date.parse(task.deadline),
    estimatedDuration: task.estimatedDuration ?? null,
    detached: task.detached,
    hold: task.hold,
    budget: task.budget ?? null,
    input: task.input,
    context: task.context,
    dependencies,
  };
}
