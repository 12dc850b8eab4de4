import type { TaskView } from '@baton/contracts';
import { iso, isoOrNull } from './task.events.js';
import type { ReplayedTask } from './task.fold.js';
import type { TaskDescription } from './task.js';

/** A task as every surface shows it. */
export function toView(task: ReplayedTask & TaskDescription): TaskView {
  return {
    id: task.id,
    title: task.title,
    description: task.description,
    type: task.type,
    status: task.status,
    statusReason: task.statusReason,
    priority: task.priority,
    tags: task.tags,
    metadata: task.metadata,
    version: task.version,
    createdBy: task.createdBy,
    assignedTo: task.assignedTo,
    lastAgentId: task.lastAgentId,
    holderEpoch: task.holderEpoch,
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
    estimatedDuration: task.estimatedDuration,
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
