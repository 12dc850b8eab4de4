import { z } from 'zod';
import { announcement } from './agent.js';
import { decisionAsSent, type Decision } from './decision.js';
import { jsonValue, text, type JsonObject } from './json.js';
import { LIMITS } from './limits.js';
import { createGraph, createTask, taskError } from './task.js';
import type { CreateGraphInput, CreateTaskInput, TaskError, TaskStatus } from './task.js';
import type { CreatedTask, DependencyResult } from './task-view.js';
import { idempotencyKey, timestamp, uuid, type Actor } from './words.js';
import type { ErrorBody } from './errors.js';

/** Every request of an agent is answered with one of these. */
export type AgentAnswer<T extends object> =
  ({ readonly ok: true } & T) | { readonly ok: false; readonly error: ErrorBody };

const runningTask = z.object({ taskId: uuid, attempt: z.int32() });

/** `agent.<id>.hello`. `instance` is made at process start and kept over reconnects. */
export const hello = announcement.extend({
  instance: uuid,
  startedAt: timestamp,
  running: z.array(runningTask).max(10_000).default([]),
});
export type Hello = z.infer<typeof hello>;

export type HelloAnswer = AgentAnswer<{
  readonly epoch: number;
  readonly heartbeatMs: number;
  readonly expireMs: number;
  /** What the agent holds, offered again; more follow as offers when these do not fit one message. */
  readonly assignments: readonly Assignment[];
  /** `count`: all that wait, the items among them; 1,001 stands for more than 1,000. */
  readonly inbox: { readonly count: number; readonly items: readonly InboxItem[] };
  readonly connections: readonly { readonly to: string; readonly strength: number }[];
}>;

/** `agent.<id>.heartbeat`, no answer: `running` lists every task whose start was sent and whose end is unanswered. */
export const heartbeat = z.object({
  epoch: z.int32(),
  seq: z.number().int(),
  running: z.array(runningTask).max(10_000),
});
export type Heartbeat = z.infer<typeof heartbeat>;

export const goodbye = z.object({ epoch: z.int32(), mode: z.enum(['drain', 'leave']) });
export type Goodbye = z.infer<typeof goodbye>;
export type GoodbyeAnswer = AgentAnswer<{ readonly status: 'draining' | 'offline' }>;

/** A task as its agent gets it. */
export type OfferedTask = {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly type: string;
  readonly priority: number;
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
  readonly input: JsonObject;
  readonly context: JsonObject;
  readonly createdBy: Actor;
  readonly parentTaskId: string | null;
  readonly rootTaskId: string;
  readonly deadline: string | null;
  readonly timeout: number | null;
  readonly traceparent: string | null;
};

export type Assignment = {
  readonly task: OfferedTask;
  readonly attempt: number;
  readonly decision: Decision | null;
  readonly dependencyResults: readonly DependencyResult[];
  /** How earlier attempts ended, the latest last. */
  readonly previousAttempts: readonly PreviousAttempt[];
  /** The holder's own process was already working on it. */
  readonly resume?: true;
  /** Description, input, context and results did not fit a message: read them with `call.get`. */
  readonly truncated?: true;
};

export type PreviousAttempt = {
  readonly attempt: number;
  readonly agentId: string | null;
  readonly endedAt: string;
  readonly reason: string;
  readonly error: TaskError | null;
};

/** `agent.<id>.offer`: a request, answered within 4 s; idempotent; a process of another epoch ignores it. */
export type Offer = { readonly epoch: number; readonly assignments: readonly Assignment[] };
export const offer = z.object({
  epoch: z.number().int(),
  assignments: z.array(
    z.object({
      task: z.object({ id: uuid }).loose(),
      attempt: z.number().int(),
      decision: decisionAsSent.nullable(),
      dependencyResults: z.array(z.unknown()),
      previousAttempts: z.array(z.unknown()),
      resume: z.literal(true).optional(),
      truncated: z.literal(true).optional(),
    }),
  ),
});
export const offerAnswer = z.object({
  accepted: z.array(uuid),
  rejected: z.array(z.object({ taskId: uuid, code: z.string().max(64) })),
});
export type OfferAnswer = z.infer<typeof offerAnswer>;

/** `agent.<id>.control`, no answer. */
export const control = z.object({
  type: z.enum(['cancel', 'revoke', 'drain', 'rehello']),
  taskId: uuid.optional(),
  attempt: z.number().int().optional(),
  reason: z.string().nullable(),
});
export type Control = z.infer<typeof control>;

/** What an agent is told about the end of a task it created or waits for. */
export const inboxItem = z.object({
  id: uuid,
  taskId: uuid,
  status: z.enum(['completed', 'failed', 'cancelled']),
  reason: z.string().nullable(),
  at: timestamp,
});
export type InboxItem = {
  readonly id: string;
  readonly taskId: string;
  readonly status: Extract<TaskStatus, 'completed' | 'failed' | 'cancelled'>;
  readonly reason: string | null;
  readonly at: string;
};
/** `agent.<id>.inbox`: a request, repeated until acknowledged. */
export const inboxDelivery = z.object({ items: z.array(inboxItem) });
export const inboxAnswer = z.object({ ack: z.array(uuid) });

const held = {
  taskId: uuid,
  // Columns of the database are as wide: a larger number would be its error, not a refusal.
  attempt: z.int32().min(0),
  epoch: z.int32().min(0),
  commandId: uuid,
};

/** `agent.<id>.task.<verb>`: each carries the fence; `commandId` makes a repetition harmless. */
export const taskCommands = {
  start: z.object(held),
  progress: z.object({
    ...held,
    percent: z.number().min(0).max(100),
    message: text({ maxCharacters: 1_000 }).optional(),
  }),
  complete: z.object({ ...held, result: jsonValue.optional() }),
  fail: z.object({ ...held, error: z.object(taskError.shape) }),
  return: z.object({ ...held, reason: z.enum(['draining', 'declined']) }),
} as const;
export type ProgressCommand = z.infer<typeof taskCommands.progress>;

/** One command, or several in one message: the items are then parsed and answered one by one. */
export const taskItems = z.object({ items: z.array(z.unknown()).min(1).max(LIMITS.agentItems) });

export type TaskAnswer = AgentAnswer<{
  readonly taskId: string;
  readonly status: TaskStatus;
  readonly attempt: number;
  readonly version: number;
}>;
export type TaskItemsAnswer = { readonly ok: true; readonly items: readonly TaskAnswer[] };

/** The parent an agent creates children for, with the fence of its own hold on it. */
export const parentFence = z.object({
  taskId: uuid,
  attempt: z.int32(),
  epoch: z.int32(),
});
export type ParentFence = z.infer<typeof parentFence>;

const what = {
  task: createTask.optional(),
  tasks: z.array(createTask).min(1).max(LIMITS.batchTasks).optional(),
  graph: createGraph.optional(),
  idempotencyKey: idempotencyKey.optional(),
};
const exactlyOne = (request: { task?: unknown; tasks?: unknown; graph?: unknown }) =>
  [request.task, request.tasks, request.graph].filter((value) => value !== undefined).length === 1;
const exactlyOneMessage = 'expected exactly one of task, tasks, graph';

/** `call.create`: one task, many, or a graph, all or nothing; with a parent as for `call.spawn`. */
export const callCreate = z
  .object({ ...what, parent: parentFence.optional() })
  .refine(exactlyOne, exactlyOneMessage);
/** `call.spawn`: children of a task the agent holds. The idempotency key is scoped to the parent task. */
export const callSpawn = z.object({ ...what, parent: parentFence }).refine(exactlyOne, exactlyOneMessage);
export type CallCreate = z.infer<typeof callCreate>;
export type CallCreateInput = {
  readonly task?: CreateTaskInput;
  readonly tasks?: readonly CreateTaskInput[];
  readonly graph?: CreateGraphInput;
  readonly idempotencyKey?: string;
  readonly parent?: ParentFence;
};
export type CallCreateAnswer = AgentAnswer<{
  readonly tasks: readonly CreatedTask[];
  readonly replayed?: true;
}>;

export const callGet = z.object({ taskId: uuid });
export const callCancel = z.object({ taskId: uuid, reason: text({ maxCharacters: 255 }).optional() });
export const callInbox = z.object({ limit: z.number().int().min(1).max(100).default(100) });
export const callAck = z.object({ ids: z.array(uuid).min(1).max(500) });
