import type { JsonObject, JsonValue } from './json.js';
import type {
  Criteria,
  DependencyPolicy,
  Priority,
  RequiredCapability,
  RetryPolicy,
  TaskError,
  TaskStatus,
} from './task.js';
import type { Actor } from './words.js';

/** The result of an ended dependency as its dependents get it; too large ones are fetched by id. */
export type DependencyResult = {
  readonly taskId: string;
  readonly name: string | null;
  readonly title: string;
  readonly status: TaskStatus;
  readonly result: JsonValue | null;
  /** The result did not fit; read it with `call.get`. */
  readonly truncated?: true;
};

export type TaskDependency = {
  readonly taskId: string;
  readonly policy: DependencyPolicy;
  readonly name: string | null;
};

/** A task as every surface shows it. Timestamps are ISO 8601 in UTC, durations seconds. */
export type TaskView = {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly type: string;
  readonly status: TaskStatus;
  readonly statusReason: string | null;
  readonly priority: Priority;
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
  readonly version: number;
  readonly createdBy: Actor;
  readonly assignedTo: string | null;
  readonly lastAgentId: string | null;
  readonly holderEpoch: number | null;
  readonly attempt: number;
  readonly retryCount: number;
  readonly maxRetries: number;
  readonly lostCount: number;
  readonly handoverCount: number;
  readonly retryPolicy: RetryPolicy;
  readonly requiredCapabilities: readonly RequiredCapability[];
  readonly preferredCapabilities: readonly string[];
  readonly criteria: Criteria;
  readonly parentTaskId: string | null;
  readonly rootTaskId: string;
  readonly depth: number;
  readonly detached: boolean;
  readonly timeout: number | null;
  readonly startTimeout: number;
  readonly estimatedDuration: number | null;
  readonly actualDuration: number | null;
  readonly createdAt: string;
  readonly firstQueuedAt: string | null;
  readonly queuedAt: string | null;
  readonly availableAt: string | null;
  readonly assignedAt: string | null;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly updatedAt: string;
  readonly deadline: string | null;
  readonly error: TaskError | null;
  readonly traceparent: string | null;
};

/** A task with what list answers leave out. */
export type TaskDetail = TaskView & {
  readonly input: JsonObject;
  readonly context: JsonObject;
  readonly result: JsonValue | null;
  readonly progress: {
    readonly percent: number;
    readonly message: string | null;
    readonly at: string;
  } | null;
  readonly dependencies: readonly (TaskDependency & { readonly status: TaskStatus })[];
};

/** What a create answers for each task. */
export type CreatedTask = {
  readonly id: string;
  readonly ref?: string;
  readonly status: TaskStatus;
  readonly version: number;
};

/** One accepted change, as history shows it. */
export type TaskHistoryEntry = {
  readonly version: number;
  readonly type: string;
  readonly at: string;
  readonly actor: Actor;
  readonly reason: string | null;
  readonly attempt: number;
  readonly data: JsonObject;
};
