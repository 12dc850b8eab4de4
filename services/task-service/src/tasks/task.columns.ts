import { joinJson, pgArray, type Element } from '../database/pg-array.js';
import type { NewTask, Task } from './task.js';

/** One column of `tasks`: its name, its type inside `unnest`, and how a task fills it. */
type Column<T> = {
  readonly name: string;
  /** Array element type of the parameter; `ms` is a timestamp given in milliseconds of the epoch. */
  readonly type: 'uuid' | 'text' | 'int' | 'bigint' | 'bool' | 'float8' | 'json' | 'ms';
  readonly value: (task: T) => Element;
};

// Most tasks have none of these: the constant saves a stringify per column and task.
function json(value: unknown): string {
  return Array.isArray(value) && value.length === 0 ? '[]' : JSON.stringify(value);
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

const FIXED: readonly Column<Task>[] = [
  { name: 'id', type: 'uuid', value: (task) => task.id },
  { name: 'type', type: 'text', value: (task) => task.type },
  { name: 'created_by', type: 'text', value: (task) => task.createdBy },
  { name: 'parent_task_id', type: 'uuid', value: (task) => task.parentTaskId },
  { name: 'root_task_id', type: 'uuid', value: (task) => task.rootTaskId },
  { name: 'depth', type: 'int', value: (task) => task.depth },
  { name: 'detached', type: 'bool', value: (task) => task.detached },
  { name: 'required_capabilities', type: 'json', value: (task) => json(task.requiredCapabilities) },
  { name: 'preferred_capabilities', type: 'json', value: (task) => json(task.preferredCapabilities) },
  { name: 'criteria', type: 'json', value: (task) => json(task.criteria) },
  { name: 'needs_class', type: 'text', value: (task) => task.needsClass },
  { name: 'max_retries', type: 'int', value: (task) => task.maxRetries },
  { name: 'retry_policy', type: 'json', value: (task) => json(task.retryPolicy) },
  { name: 'timeout', type: 'float8', value: (task) => task.timeout },
  { name: 'start_timeout', type: 'float8', value: (task) => task.startTimeout },
  { name: 'queue_timeout', type: 'float8', value: (task) => task.queueTimeout },
  { name: 'progress_timeout', type: 'float8', value: (task) => task.progressTimeout },
  { name: 'deadline', type: 'ms', value: (task) => task.deadline },
  { name: 'budget', type: 'json', value: (task) => jsonOrNull(task.budget) },
  { name: 'created_at', type: 'ms', value: (task) => task.createdAt },
  { name: 'traceparent', type: 'text', value: (task) => task.traceparent },
];

/** The columns accepted commands change; `id` and the version before stand in front of them in the update. */
const CHANGING: readonly Column<Task>[] = [
  { name: 'version', type: 'int', value: (task) => task.version },
  { name: 'updated_at', type: 'ms', value: (task) => task.updatedAt },
  { name: 'status', type: 'text', value: (task) => task.status },
  { name: 'status_reason', type: 'text', value: (task) => task.statusReason },
  { name: 'priority', type: 'int', value: (task) => task.priority },
  { name: 'assigned_to', type: 'text', value: (task) => task.assignedTo },
  { name: 'holder_epoch', type: 'int', value: (task) => task.holderEpoch },
  { name: 'last_agent_id', type: 'text', value: (task) => task.lastAgentId },
  { name: 'attempt', type: 'int', value: (task) => task.attempt },
  { name: 'retry_count', type: 'int', value: (task) => task.retryCount },
  { name: 'lost_count', type: 'int', value: (task) => task.lostCount },
  { name: 'handover_count', type: 'int', value: (task) => task.handoverCount },
  { name: 'excluded_agents', type: 'json', value: (task) => json(task.excludedAgents) },
  { name: 'skipped_agents', type: 'json', value: (task) => json(task.skippedAgents) },
  { name: 'first_queued_at', type: 'ms', value: (task) => task.firstQueuedAt },
  { name: 'queued_at', type: 'ms', value: (task) => task.queuedAt },
  { name: 'available_at', type: 'ms', value: (task) => task.availableAt },
  { name: 'assigned_at', type: 'ms', value: (task) => task.assignedAt },
  { name: 'started_at', type: 'ms', value: (task) => task.startedAt },
  { name: 'completed_at', type: 'ms', value: (task) => task.completedAt },
  { name: 'actual_duration', type: 'float8', value: (task) => task.actualDuration },
  { name: 'queue_key', type: 'bigint', value: (task) => task.queueKey },
  { name: 'backlog_class', type: 'text', value: (task) => task.backlogClass },
  { name: 'awaited_children', type: 'json', value: (task) => jsonOrNull(task.awaitedChildren) },
  { name: 'pinned_to', type: 'text', value: (task) => task.pinnedTo },
  { name: 'pinned_until', type: 'ms', value: (task) => task.pinnedUntil },
  { name: 'delegation_chain', type: 'json', value: (task) => json(task.delegationChain) },
  { name: 'return_to', type: 'text', value: (task) => task.returnTo },
  { name: 'error', type: 'json', value: (task) => jsonOrNull(task.error) },
  { name: 'due_at', type: 'ms', value: (task) => task.dueAt },
  { name: 'offer_tries', type: 'int', value: (task) => task.offerTries },
  { name: 'offer_accepted_at', type: 'ms', value: (task) => task.offerAcceptedAt },
];

const DESCRIBING: readonly Column<NewTask>[] = [
  { name: 'title', type: 'text', value: (task) => task.title },
  { name: 'description', type: 'text', value: (task) => task.description },
  { name: 'tags', type: 'json', value: (task) => json(task.tags) },
  { name: 'metadata', type: 'json', value: (task) => json(task.metadata) },
  { name: 'estimated_duration', type: 'float8', value: (task) => task.estimatedDuration },
  { name: 'input', type: 'json', value: (task) => json(task.input) },
  { name: 'context', type: 'json', value: (task) => json(task.context) },
];

/** What the rules read; the payload is left where it is. */
export const STATE_COLUMNS: readonly string[] = [...FIXED, ...CHANGING].map(({ name }) => name);

export { CHANGING, DESCRIBING, FIXED };
export type { Column };

/** The element type of a column's parameter. */
export function parameterType(type: Column<never>['type']): string {
  return type === 'ms' ? 'float8' : type;
}

/** One parameter for each column, with the values of all items. */
export function toParameters<T>(columns: readonly Column<T>[], items: readonly T[]): readonly string[] {
  return columns.map(({ type, value }) => {
    const values = items.map(value);
    return type === 'json' ? joinJson(values as readonly (string | null)[]) : pgArray(values);
  });
}

/** The column's expression over its unnested value. */
export function expression(name: string, type: Column<never>['type']): string {
  return type === 'ms' ? `to_timestamp(u.${name} / 1000)` : `u.${name}`;
}
