import type {
  Actor,
  AgentStatus,
  Budget,
  Capability,
  Criteria,
  Decision,
  DomainError,
  DependencyPolicy,
  JsonObject,
  JsonValue,
  Labels,
  Priority,
  RequiredCapability,
  RetryPolicy,
  TaskError,
  TaskEventType,
  TaskStatus,
} from '@baton/contracts';
import type { Edge } from './dependency.decide.js';
import type { ArrowName, Fence, TaskCommand } from './task.state.js';

/** An agent passed over for a task until `until` (milliseconds of the epoch). */
export type SkippedAgent = { readonly agentId: string; readonly until: number };

/** What is asked for when a task is created, and stays. Durations are seconds, timestamps milliseconds of the epoch. */
export type TaskSettings = {
  readonly id: string;
  readonly type: string;
  readonly detached: boolean;
  readonly requiredCapabilities: readonly RequiredCapability[];
  readonly preferredCapabilities: readonly string[];
  readonly criteria: Criteria;
  /** The backlog class the task stands in whenever it is ready. */
  readonly needsClass: string;
  readonly maxRetries: number;
  readonly retryPolicy: RetryPolicy;
  readonly timeout: number | null;
  readonly startTimeout: number;
  readonly queueTimeout: number | null;
  readonly progressTimeout: number | null;
  readonly deadline: number | null;
  /** Of the whole tree; only a root has one. */
  readonly budget: Budget | null;
};

/** Of the settings, what an update may change. */
export type MutableSettings = Pick<
  TaskSettings,
  | 'requiredCapabilities'
  | 'preferredCapabilities'
  | 'criteria'
  | 'maxRetries'
  | 'retryPolicy'
  | 'timeout'
  | 'startTimeout'
  | 'queueTimeout'
  | 'progressTimeout'
  | 'deadline'
>;

/** What a task is: fixed at creation, but for what an update may change. */
export type TaskDefinition = TaskSettings & {
  readonly createdBy: Actor;
  readonly parentTaskId: string | null;
  readonly rootTaskId: string;
  readonly depth: number;
  readonly createdAt: number;
  readonly traceparent: string | null;
};

/** What accepted commands change. */
export type TaskProgression = {
  readonly status: TaskStatus;
  readonly statusReason: string | null;
  readonly priority: Priority;
  readonly assignedTo: string | null;
  readonly holderEpoch: number | null;
  readonly lastAgentId: string | null;
  readonly attempt: number;
  readonly retryCount: number;
  readonly lostCount: number;
  readonly handoverCount: number;
  readonly excludedAgents: readonly string[];
  readonly skippedAgents: readonly SkippedAgent[];
  readonly firstQueuedAt: number | null;
  readonly queuedAt: number | null;
  readonly availableAt: number | null;
  readonly assignedAt: number | null;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  readonly actualDuration: number | null;
  readonly queueKey: number | null;
  /** `needsClass` while the task is queued and available, else null: what the backlog index holds. */
  readonly backlogClass: string | null;
  /** How many children must have ended before a task blocked for them goes on. */
  readonly awaitedChildren: number | 'all' | null;
  /** The agent a queued task waits for alone, and until when; no end means for good. */
  readonly pinnedTo: string | null;
  readonly pinnedUntil: number | null;
  /** Agents that handed it on, first to last. */
  readonly delegationChain: readonly string[];
  /** Who gets it back when the agent it was handed to does not do it. */
  readonly returnTo: string | null;
  readonly error: TaskError | null;
};

/** Written without a version: outside replay and ETag. */
export type TaskBookkeeping = {
  /** The earliest moment a timer must look at the task. */
  readonly dueAt: number | null;
  readonly offerTries: number;
  readonly offerAcceptedAt: number | null;
};

/** A task as the rules see it: everything but the payload. */
export type Task = TaskDefinition &
  TaskProgression &
  TaskBookkeeping & { readonly version: number; readonly updatedAt: number };

/** What people read about a task; no rule looks at it. */
export type TaskDescription = {
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
  readonly estimatedDuration: number | null;
};

/** What only the agents read: never in the lock query, never in events. `result` is written by `complete`. */
export type TaskPayload = { readonly input: JsonObject; readonly context: JsonObject };

export type NewDependency = {
  readonly taskId: string;
  readonly policy: DependencyPolicy;
  readonly name: string | null;
};

/** A task to be created; `id` was minted before the first try. */
export type NewTask = TaskSettings &
  TaskDescription &
  TaskPayload & {
    readonly ref?: string;
    readonly priority: Priority;
    readonly availableAt: number | null;
    /** Kept back until it is released. */
    readonly hold: boolean;
    readonly dependencies: readonly NewDependency[];
  };

export type CreateCommand = {
  readonly kind: 'create';
  readonly tasks: readonly NewTask[];
  readonly parent?: { readonly taskId: string; readonly fence?: Fence };
  /** Of the tasks it depends on those that its creator may not see. */
  readonly unseen?: ReadonlySet<string>;
};

export type Command = CreateCommand | TaskCommand;

/** The rows a decision looks at beside the task itself. */
export type Related = {
  readonly dependencies: readonly Edge[];
  /** For `assign`: why the tasks of its type are held back, if they are. */
  readonly heldBack?: DomainError | undefined;
  /** For `link`: the task named, locked against removal. */
  readonly other?: { readonly id: string; readonly status: TaskStatus } | undefined;
  /** For `link` and `block`: which tasks wait for which, as far as those named lead. */
  readonly waits?: ReadonlyMap<string, readonly string[]> | undefined;
  /** For `block` and `unblock`: its children that are not detached. */
  readonly children?: readonly { readonly id: string; readonly status: TaskStatus }[] | undefined;
  /** The agent that is to have the task, locked. */
  readonly agent: AgentUnderLock | undefined;
  readonly named?: Named;
  /** The live epoch of the agent the task is assigned to, read unlocked: enough to refuse a replaced process. */
  readonly liveEpoch: number | null;
  /** How often that agent beats, in milliseconds, read likewise. */
  readonly heartbeatMs: number | null;
  /** For a task that is to go: why it may not. */
  readonly hindrance?: string | undefined;
  /** For a task that is to begin anew: how its parent stands. */
  readonly parentStatus: TaskStatus | null;
  /** For a change of fields: those no other rule looks at. */
  readonly described: (TaskDescription & TaskPayload) | undefined;
  /** For a timer: when the present attempt last reported progress (milliseconds), read likewise. */
  readonly progressAt: number | null;
};

/** Agents that commands name or tasks would go back to, and who is connected to them; read without a lock. */
export type Named = {
  readonly agents: ReadonlyMap<string, NamedAgent>;
  /** By `connectionName`. */
  readonly connections: ReadonlySet<string>;
};

export type NamedAgent = {
  readonly id: string;
  readonly status: AgentStatus;
  readonly capabilities: readonly Capability[];
  readonly labels: Labels;
};

export type AgentUnderLock = {
  readonly id: string;
  readonly status: AgentStatus;
  /** `maxConcurrent + prefetch`. */
  readonly capacity: number;
  /** Tasks assigned or in progress, those this batch assigned included. */
  readonly held: number;
};

/** An accepted change: the task after it and the one event of its version. */
export type Changed = {
  readonly outcome: 'changed';
  readonly task: Task;
  readonly arrow: ArrowName;
  readonly event: TaskEventType;
  /** Stored with the event beside the changed fields. */
  readonly detail?: {
    readonly decision?: Decision;
    readonly linked?: NewDependency;
    readonly unlinked?: { readonly taskId: string };
    readonly asked?: { readonly question: string };
    readonly answered?: { readonly answer: JsonValue };
  };
  readonly result?: JsonValue;
  /** Agents that are told of it in their inbox. */
  readonly tell?: readonly string[];
  /** Fields no rule looks at, where they changed. */
  readonly described?: Partial<TaskDescription & TaskPayload>;
};

/** Accepted, and nothing to write a version for. */
export type Unchanged = {
  readonly outcome: 'unchanged';
  readonly task: Task;
  /** The assignment is to be offered again. */
  readonly offer?: true;
};

export type Decided = Changed | Unchanged;

/** What a caller gets for an accepted command; `ref` is the local name the task had in its graph. */
export type Accepted = {
  readonly taskId: string;
  readonly ref?: string;
  readonly status: TaskStatus;
  readonly attempt: number;
  readonly version: number;
};
