import type {
  Actor,
  Budget,
  Criteria,
  Priority,
  RequiredCapability,
  RetryPolicy,
  TaskError,
  TaskStatus,
} from '@baton/contracts';
import type { SkippedAgent, Task } from './task.js';

/** `STATE_COLUMNS` of `tasks` as the driver gives them: timestamps in milliseconds, JSON parsed. */
export type TaskRow = {
  id: string;
  type: string;
  created_by: Actor;
  parent_task_id: string | null;
  root_task_id: string;
  depth: number;
  detached: boolean;
  required_capabilities: readonly RequiredCapability[];
  preferred_capabilities: readonly string[];
  criteria: Criteria;
  needs_class: string;
  max_retries: number;
  retry_policy: RetryPolicy;
  timeout: number | null;
  start_timeout: number;
  queue_timeout: number | null;
  progress_timeout: number | null;
  deadline: number | null;
  budget: Budget | null;
  created_at: number;
  traceparent: string | null;
  version: number;
  updated_at: number;
  status: TaskStatus;
  status_reason: string | null;
  priority: Priority;
  assigned_to: string | null;
  holder_epoch: number | null;
  last_agent_id: string | null;
  attempt: number;
  retry_count: number;
  lost_count: number;
  handover_count: number;
  excluded_agents: readonly string[];
  skipped_agents: readonly SkippedAgent[];
  first_queued_at: number | null;
  queued_at: number | null;
  available_at: number | null;
  assigned_at: number | null;
  started_at: number | null;
  completed_at: number | null;
  actual_duration: number | null;
  queue_key: number | null;
  backlog_class: string | null;
  awaited_children: number | 'all' | null;
  pinned_to: string | null;
  pinned_until: number | null;
  delegation_chain: readonly string[];
  return_to: string | null;
  error: TaskError | null;
  due_at: number | null;
  offer_tries: number;
  offer_accepted_at: number | null;
};

/** The only place where a row becomes a task. */
export function rowToTask(row: TaskRow): Task {
  return {
    id: row.id,
    type: row.type,
    createdBy: row.created_by,
    parentTaskId: row.parent_task_id,
    rootTaskId: row.root_task_id,
    depth: row.depth,
    detached: row.detached,
    requiredCapabilities: row.required_capabilities,
    preferredCapabilities: row.preferred_capabilities,
    criteria: row.criteria,
    needsClass: row.needs_class,
    maxRetries: row.max_retries,
    retryPolicy: row.retry_policy,
    timeout: row.timeout,
    startTimeout: row.start_timeout,
    queueTimeout: row.queue_timeout,
    progressTimeout: row.progress_timeout,
    deadline: row.deadline,
    budget: row.budget,
    createdAt: row.created_at,
    traceparent: row.traceparent,
    version: row.version,
    updatedAt: row.updated_at,
    status: row.status,
    statusReason: row.status_reason,
    priority: row.priority,
    assignedTo: row.assigned_to,
    holderEpoch: row.holder_epoch,
    lastAgentId: row.last_agent_id,
    attempt: row.attempt,
    retryCount: row.retry_count,
    lostCount: row.lost_count,
    handoverCount: row.handover_count,
    excludedAgents: row.excluded_agents,
    skippedAgents: row.skipped_agents,
    firstQueuedAt: row.first_queued_at,
    queuedAt: row.queued_at,
    availableAt: row.available_at,
    assignedAt: row.assigned_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    actualDuration: row.actual_duration,
    queueKey: row.queue_key,
    backlogClass: row.backlog_class,
    awaitedChildren: row.awaited_children,
    pinnedTo: row.pinned_to,
    pinnedUntil: row.pinned_until,
    delegationChain: row.delegation_chain,
    returnTo: row.return_to,
    error: row.error,
    dueAt: row.due_at,
    offerTries: row.offer_tries,
    offerAcceptedAt: row.offer_accepted_at,
  };
}
