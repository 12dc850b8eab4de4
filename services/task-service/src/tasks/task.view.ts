import type { TaskListItem, TaskView } from '@baton/contracts';
import { iso, isoOrNull } from './task.events.js';
import type { ReplayedTask } from './task.fold.js';
import type { TaskDescription } from './task.js';

type Named = Omit<TaskDescription, 'description' | 'metadata'>;

/** A task as every surface shows it. */
export function toView(task: ReplayedTask, described: TaskDescription): TaskView {
  const { description, metadata } = described;
  return { ...asListed(task, described), description, metadata };
}

/** A task as lists show it: without what may be large. */
export function toListItem(task: ReplayedTask & Named): TaskListItem {
  return asListed(task, task);
}

// The two come apart: to put them together first, for every task created, cost more than all of the view.
function asListed(task: ReplayedTask, { title, tags, estimatedDuration }: Named): TaskListItem {
  return {
    id: task.id,
    title,
    type: task.type,
    status: task.status,
    statusReason: task.statusReason,
    priority: task.priority,
    tags,
    version: task.version,
    createdBy: task.createdBy,
    assignedTo: task.assignedTo,
    lastAgentId: task.lastAgentId,
    holderEpoch: task.holderEpoch,
    pinnedTo: task.pinnedTo,
    pinnedUntil: isoOrNull(task.pinnedUntil),
    delegatedFrom: task.delegationChain[0] ?? null,
    delegationChain: task.delegationChain,
    budget: task.budget,
    attempt: task.attempt,
    retryCount: task.retryCount,
    maxRetries: task.maxRetries,
    lostCount: task.lostCount,
    handoverCount: task.handoverCount,
    retryPolicy: task.retryPolicy,
    requiredCapabilities: task.requiredCapabilities,
    preferredCapabilities: task.preferredCapabilities,
    criteria: task.criteria,
    parentTaskId: task.parentTaskId,
    rootTaskId: task.rootTaskId,
    depth: task.depth,
    detached: task.detached,
    timeout: task.timeout,
    startTimeout: task.startTimeout,
    queueTimeout: task.queueTimeout,
    progressTimeout: task.progressTimeout,
    estimatedDuration,
    actualDuration: task.actualDuration,
    createdAt: iso(task.createdAt),
    firstQueuedAt: isoOrNull(task.firstQueuedAt),
    queuedAt: isoOrNull(task.queuedAt),
    availableAt: isoOrNull(task.availableAt),
    assignedAt: isoOrNull(task.assignedAt),
    startedAt: isoOrNull(task.startedAt),
    completedAt: isoOrNull(task.completedAt),
    updatedAt: iso(task.updatedAt),
    deadline: isoOrNull(task.deadline),
    error: task.error,
    traceparent: task.traceparent,
  };
}
