import { z } from 'zod';
import { jsonObject, text } from './json.js';
import { labels } from './labels.js';
import { DEFAULTS, LIMITS } from './limits.js';
import { agentId, timestamp, uuid, word } from './words.js';

export const TASK_STATUSES = [
  'created',
  'queued',
  'assigned',
  'in_progress',
  'blocked',
  'completed',
  'failed',
  'cancelled',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];
export const TERMINAL_STATUSES = ['completed', 'failed', 'cancelled'] as const;
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];

export function isTerminal(status: TaskStatus): status is TerminalStatus {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** 1 critical, 2 high, 3 medium, 4 low, 5 backlog; lower goes first. */
export const priority = z.literal([1, 2, 3, 4, 5]);
export type Priority = z.infer<typeof priority>;
/** Most urgent first. */
export const PRIORITIES: readonly Priority[] = [...priority.values];

/** A level is how well an agent does something, 0..1. */
const level = z.number().min(0).max(1);
export const requiredCapability = z.strictObject({ name: word, minLevel: level.optional() });
export type RequiredCapability = z.infer<typeof requiredCapability>;
export const capability = z.strictObject({ name: word, level: level.default(1) });
export type Capability = z.infer<typeof capability>;

const seconds = z.number().positive().max(31_536_000);

/**
 * One agent before all others: `prefer` waits for it up to `timeout` seconds (5 minutes unless said) and then takes
 * whoever can; `require` takes nobody else, and gives up with `expired` after `timeout`, if one is given.
 */
const pin = z.strictObject({
  agentId,
  mode: z.enum(['prefer', 'require']).default('prefer'),
  timeout: seconds.optional(),
});

/**
 * Which agents may get a task, and which it is for rather than others; beside the required capabilities, never instead of
 * them. This is AssignmentCriteria.
 */
export const criteria = z.strictObject({
  pin: pin.optional(),
  requiredAgents: z.array(agentId).min(1).max(LIMITS.capabilities).optional(),
  excludedAgents: z.array(agentId).max(LIMITS.capabilities).optional(),
  preferredAgents: z.array(agentId).max(LIMITS.capabilities).optional(),
  requiredLabels: labels.optional(),
  preferredLabels: labels.optional(),
  /** By which policy its agent is chosen: that named `default` unless said. */
  policy: word.optional(),
  /** The task waits until an agent with room has at least this score. */
  minScore: z.number().min(0).max(1).optional(),
});
export type Criteria = z.infer<typeof criteria>;

/** How long to wait before a failed task is tried again; seconds. Full jitter draws from 0 to the delay. */
export const retryPolicy = z.strictObject({
  kind: z.enum(['fixed', 'linear', 'exponential']).default(DEFAULTS.retryPolicy.kind),
  baseSeconds: z.number().min(0).max(86_400).default(DEFAULTS.retryPolicy.baseSeconds),
  capSeconds: z.number().min(0).max(86_400).default(DEFAULTS.retryPolicy.capSeconds),
  jitter: z.boolean().default(DEFAULTS.retryPolicy.jitter),
});
export type RetryPolicy = z.infer<typeof retryPolicy>;

/**
 * What happens to the dependent when the dependency fails or is cancelled: it fails too, is cancelled too, goes on all
 * the same, or waits until the dependency is reopened and completes.
 */
export const DEPENDENCY_POLICIES = ['fail', 'cancel', 'ignore', 'wait'] as const;
export const dependencyPolicy = z.enum(DEPENDENCY_POLICIES);
export type DependencyPolicy = z.infer<typeof dependencyPolicy>;

const dependencyOptions = { policy: dependencyPolicy.default('fail'), name: word.optional() };
export const dependency = z.strictObject({ taskId: uuid, ...dependencyOptions });
/** An edge inside a graph names its target by local reference, an edge out of it by id. */
const graphDependency = z.union([
  z.strictObject({ ref: word, ...dependencyOptions }),
  z.strictObject({ taskId: uuid, ...dependencyOptions }),
]);

/** What a task and all its descendants may use together; past it nothing is spawned and running work fails. */
export const budget = z.strictObject({
  /** Input and output tokens. */
  maxTokens: z.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
  maxCostUsd: z.number().positive().max(1_000_000_000).optional(),
  /** Tasks of the tree, the root among them. */
  maxTasks: z.number().int().positive().max(1_000_000_000).optional(),
  deadline: timestamp.optional(),
});
export type Budget = z.infer<typeof budget>;

/** What a task may say, whichever way it is created. */
export const taskFields = {
  title: text({ min: 1, maxCharacters: LIMITS.titleCharacters }),
  description: text({ maxBytes: LIMITS.descriptionBytes }).default(''),
  type: word.default(DEFAULTS.taskType),
  priority: priority.default(DEFAULTS.priority),
  tags: z.array(word).max(LIMITS.tags).default([]),
  metadata: jsonObject.default({}),
  requiredCapabilities: z.array(requiredCapability).max(LIMITS.capabilities).default([]),
  preferredCapabilities: z.array(word).max(LIMITS.capabilities).default([]),
  criteria: criteria.default({}),
  availableAt: timestamp.optional(),
  deadline: timestamp.optional(),
  timeout: seconds.optional(),
  startTimeout: seconds.default(DEFAULTS.startTimeout),
  /** How long it may wait each time, held back, blocked or queued. */
  queueTimeout: seconds.optional(),
  /** How long its agent may work on it without a word of progress. */
  progressTimeout: seconds.optional(),
  maxRetries: z.number().int().min(0).max(100).default(DEFAULTS.maxRetries),
  retryPolicy: retryPolicy.default({ ...DEFAULTS.retryPolicy }),
  estimatedDuration: seconds.optional(),
  detached: z.boolean().default(false),
  /** Recorded, and kept back until it is released. */
  hold: z.boolean().default(false),
  budget: budget.optional(),
  input: jsonObject.default({}),
  context: jsonObject.default({}),
};

/** What a caller says to create one task. Durations are seconds. */
export const createTask = z.strictObject({
  ...taskFields,
  dependencies: z.array(dependency).max(LIMITS.dependencies).default([]),
});
export type CreateTask = z.infer<typeof createTask>;
export type CreateTaskInput = z.input<typeof createTask>;

export const createBatch = z.strictObject({
  atomic: z.boolean().default(false),
  tasks: z.array(createTask).min(1).max(LIMITS.batchTasks),
});

/** The envelope of a batch whose tasks are then judged one by one, so that a bad one refuses only itself. */
export const looseBatch = z.strictObject({
  atomic: z.boolean().default(false),
  tasks: z.array(z.unknown()).min(1).max(LIMITS.batchTasks),
});

export const graphTask = z.strictObject({
  ...taskFields,
  ref: word,
  dependencies: z.array(graphDependency).max(LIMITS.dependencies).default([]),
});
export type GraphTask = z.infer<typeof graphTask>;

/** Tasks with dependencies among each other, created all or not at all. */
export const createGraph = z
  .strictObject({ tasks: z.array(graphTask).min(1).max(LIMITS.graphTasks) })
  .refine(
    (graph) =>
      graph.tasks.reduce((sum, task) => sum + task.dependencies.length, 0) <= LIMITS.graphDependencies,
    {
      message: `at most ${LIMITS.graphDependencies} dependencies in a graph`,
      path: ['tasks'],
    },
  );
export type CreateGraph = z.infer<typeof createGraph>;
export type CreateGraphInput = z.input<typeof createGraph>;

/** What a holder says when it gives up on a task. */
export const taskError = z.strictObject({
  code: word.default('failed'),
  message: text({ maxBytes: 8 * 1024 }),
  retryable: z.boolean().default(true),
  /** With the code `rate_limited`: seconds to wait before it is tried again, which is no retry. */
  retryAfter: z.number().min(0).max(86_400).exactOptional(),
});
export type TaskError = z.infer<typeof taskError>;

/** Query of `GET /v1/tasks/{id}/history`: events after this version. */
export const taskHistory = z.strictObject({ after: z.coerce.number().pipe(z.int32().min(0)).default(0) });

export const releaseTask = z.strictObject({});
export const cancelTask = z.strictObject({ reason: text({ maxCharacters: 255 }).optional() });
