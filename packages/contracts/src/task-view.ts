import { z } from 'zod';
import { jsonObject, jsonValue } from './json.js';
import {
  budget,
  criteria,
  dependencyPolicy,
  priority,
  requiredCapability,
  retryPolicy,
  TASK_STATUSES,
  taskError,
} from './task.js';
import { taskArtifact, taskCheckpoint } from './task-reports.js';
import { usage } from './usage.js';
import { actor, agentId, timestamp, uuid, word } from './words.js';
import { taskQuestion } from './workflow.js';

const list = <T extends z.ZodType>(item: T) => z.array(item).readonly();
const status = z.enum(TASK_STATUSES);

/** The result of an ended dependency as its dependents get it; too large ones are fetched by id. */
export const dependencyResult = z.object({
  taskId: uuid,
  name: word.nullable(),
  title: z.string(),
  status,
  result: jsonValue.nullable(),
  /** The result did not fit; read it with `call.get`. */
  truncated: z.literal(true).optional(),
});
export type DependencyResult = Readonly<z.infer<typeof dependencyResult>>;
/** A child as the next holder of its parent gets it. */
export const childResult = dependencyResult.omit({ name: true });
export type ChildResult = Readonly<z.infer<typeof childResult>>;

/** A task as every surface shows it. Timestamps are ISO 8601 in UTC, durations seconds. */
export const taskView = z.object({
  id: uuid,
  title: z.string(),
  description: z.string(),
  type: z.string(),
  status,
  statusReason: z.string().nullable(),
  priority,
  tags: list(z.string()),
  metadata: jsonObject,
  version: z.number().int(),
  createdBy: actor,
  assignedTo: agentId.nullable(),
  lastAgentId: agentId.nullable(),
  holderEpoch: z.number().int().nullable(),
  /** The agent a queued task waits for alone, and until when; no time means for good. */
  pinnedTo: agentId.nullable(),
  pinnedUntil: timestamp.nullable(),
  /** The first who handed it on, and all who did, first to last. */
  delegatedFrom: agentId.nullable(),
  delegationChain: list(agentId),
  budget: budget.nullable(),
  attempt: z.number().int(),
  retryCount: z.number().int(),
  maxRetries: z.number().int(),
  lostCount: z.number().int(),
  handoverCount: z.number().int(),
  retryPolicy,
  requiredCapabilities: list(requiredCapability),
  preferredCapabilities: list(z.string()),
  criteria,
  parentTaskId: uuid.nullable(),
  rootTaskId: uuid,
  depth: z.number().int(),
  detached: z.boolean(),
  timeout: z.number().nullable(),
  startTimeout: z.number(),
  queueTimeout: z.number().nullable(),
  progressTimeout: z.number().nullable(),
  estimatedDuration: z.number().nullable(),
  actualDuration: z.number().nullable(),
  createdAt: timestamp,
  firstQueuedAt: timestamp.nullable(),
  queuedAt: timestamp.nullable(),
  availableAt: timestamp.nullable(),
  assignedAt: timestamp.nullable(),
  startedAt: timestamp.nullable(),
  completedAt: timestamp.nullable(),
  updatedAt: timestamp,
  deadline: timestamp.nullable(),
  error: taskError.nullable(),
  traceparent: z.string().nullable(),
});
export type TaskView = Readonly<z.infer<typeof taskView>>;

export const taskDependency = z.object({
  taskId: uuid,
  policy: dependencyPolicy,
  name: word.nullable(),
  status,
});
export type TaskDependency = Readonly<z.infer<typeof taskDependency>>;

/** A task as lists show it: without what may be large. */
export const taskListItem = taskView.omit({ description: true, metadata: true });
export type TaskListItem = Readonly<z.infer<typeof taskListItem>>;

/** A task with what list answers leave out. */
export const taskDetail = taskView.extend({
  input: jsonObject,
  context: jsonObject,
  result: jsonValue.nullable(),
  progress: z.object({ percent: z.number(), message: z.string().nullable(), at: timestamp }).nullable(),
  /** What all attempts together have used up, as far as they told. */
  usage: usage.nullable(),
  dependencies: list(taskDependency),
  /** What it made that is kept elsewhere, in the order it was told of last. */
  artifacts: list(taskArtifact),
  /** What the next attempt can go on from, if an earlier one left it. */
  checkpoint: taskCheckpoint.nullable(),
  /** Whether it has gone to the archive, where it can be read alike and from where a reopen brings it back. */
  archived: z.boolean(),
  /** What its holders asked and were told, the latest last. */
  questions: list(taskQuestion),
});
export type TaskDetail = Readonly<z.infer<typeof taskDetail>>;

/** What a create answers for each task. */
export const createdTask = z.object({
  id: uuid,
  ref: word.optional(),
  status,
  version: z.number().int(),
});
export type CreatedTask = Readonly<z.infer<typeof createdTask>>;

/** One accepted change, as history shows it. */
export const taskHistoryEntry = z.object({
  version: z.number().int(),
  type: z.string(),
  at: timestamp,
  actor,
  reason: z.string().nullable(),
  attempt: z.number().int(),
  data: jsonObject,
});
export type TaskHistoryEntry = Readonly<z.infer<typeof taskHistoryEntry>>;
