import { z } from 'zod';
import { announcement } from './agent.js';
import { decisionAsSent, type Decision } from './decision.js';
import type { JsonObject } from './json.js';
import type { TaskError, TaskStatus } from './task.js';
import type { DependencyResult } from './task-view.js';
import { timestamp, uuid, type Actor } from './words.js';
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

/**
 * What an agent is told: the end of a task it created, handed on or waits for; `queued`: one that it handed on was not
 * done there and comes back to it, or goes to whoever can.
 */
export const inboxItem = z.object({
  id: uuid,
  taskId: uuid,
  status: z.enum(['completed', 'failed', 'cancelled', 'queued']),
  reason: z.string().nullable(),
  at: timestamp,
});
export type InboxItem = {
  readonly id: string;
  readonly taskId: string;
  readonly status: Extract<TaskStatus, 'completed' | 'failed' | 'cancelled' | 'queued'>;
  readonly reason: string | null;
  readonly at: string;
};
/** `agent.<id>.inbox`: a request, repeated until acknowledged. */
export const inboxDelivery = z.object({ items: z.array(inboxItem) });
export const inboxAnswer = z.object({ ack: z.array(uuid) });
