import { z } from 'zod';
import { announcement } from './agent.js';
import { decisionAsSent } from './decision.js';
import { jsonValue } from './json.js';
import { taskError } from './task.js';
import { childResult, dependencyResult, taskDetail } from './task-view.js';
import { agentId, timestamp, uuid } from './words.js';
import { taskQuestion } from './workflow.js';
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

/** `agent.<id>.heartbeat`, no answer: `running` lists every task whose start was sent and whose end is unanswered. */
export const heartbeat = z.object({
  epoch: z.int32(),
  seq: z.number().int(),
  running: z.array(runningTask).max(10_000),
});
export type Heartbeat = z.infer<typeof heartbeat>;

export const goodbye = z.object({ epoch: z.int32(), mode: z.enum(['drain', 'leave']) });
export type Goodbye = z.infer<typeof goodbye>;
export const goodbyeAnswer = z.object({ status: z.enum(['draining', 'offline']) });
export type GoodbyeAnswer = AgentAnswer<z.infer<typeof goodbyeAnswer>>;

/** A task as its agent gets it. */
const offeredTask = taskDetail.pick({
  id: true,
  title: true,
  description: true,
  type: true,
  priority: true,
  tags: true,
  metadata: true,
  input: true,
  context: true,
  createdBy: true,
  parentTaskId: true,
  rootTaskId: true,
  deadline: true,
  timeout: true,
  traceparent: true,
});
export type OfferedTask = Readonly<z.infer<typeof offeredTask>>;

const previousAttempt = z.object({
  attempt: z.number().int(),
  agentId: agentId.nullable(),
  endedAt: timestamp,
  reason: z.string(),
  error: taskError.nullable(),
  /** The span its start was said in. */
  traceparent: z.string().nullable(),
});
export type PreviousAttempt = Readonly<z.infer<typeof previousAttempt>>;

export const assignment = z.object({
  task: offeredTask,
  attempt: z.number().int(),
  decision: decisionAsSent.nullable(),
  dependencyResults: z.array(dependencyResult).readonly(),
  /** How the children of the task stand, once it has any; too large results are fetched by id. */
  childResults: z.array(childResult).readonly(),
  /** What earlier attempts asked, and what was answered, the latest last. */
  questions: z.array(taskQuestion).readonly(),
  /** How earlier attempts ended, the latest last. */
  previousAttempts: z.array(previousAttempt).readonly(),
  /** What an earlier attempt left to go on from, if one did. */
  checkpoint: jsonValue.exactOptional(),
  /** The holder's own process was already working on it. */
  resume: z.literal(true).exactOptional(),
  /** Description, input, context, checkpoint and results did not fit a message: read them with `call.get`. */
  truncated: z.literal(true).exactOptional(),
});
export type Assignment = Readonly<z.infer<typeof assignment>>;

/** `agent.<id>.offer`: a request, answered within 4 s; idempotent; a process of another epoch ignores it. */
export const offerAsSent = z.object({ epoch: z.number().int(), assignments: z.array(assignment).readonly() });
export type Offer = Readonly<z.infer<typeof offerAsSent>>;
/** The same as an agent reads it: of what the handler alone looks at nothing is checked. */
export const offer = z.object({
  epoch: z.number().int(),
  assignments: z.array(
    z.object({
      task: z.object({ id: uuid }).loose(),
      attempt: z.number().int(),
      decision: decisionAsSent.nullable(),
      dependencyResults: z.array(z.unknown()),
      childResults: z.array(z.unknown()).default([]),
      questions: z.array(z.unknown()).default([]),
      previousAttempts: z.array(z.unknown()),
      checkpoint: z.unknown().optional(),
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
export type InboxItem = Readonly<z.infer<typeof inboxItem>>;
/** `agent.<id>.inbox`: a request, repeated until acknowledged. */
export const inboxDelivery = z.object({ items: z.array(inboxItem) });
export const inboxAnswer = z.object({ ack: z.array(uuid) });

export const helloAnswer = z.object({
  epoch: z.number().int(),
  heartbeatMs: z.number().int(),
  expireMs: z.number().int(),
  /** What the agent holds, offered again; more follow as offers when these do not fit one message. */
  assignments: z.array(assignment).readonly(),
  /** `count`: all that wait, the items among them; 1,001 stands for more than 1,000. */
  inbox: z.object({ count: z.number().int(), items: z.array(inboxItem).readonly() }),
  connections: z.array(z.object({ to: agentId, strength: z.number() })).readonly(),
});
export type HelloAnswer = AgentAnswer<Readonly<z.infer<typeof helloAnswer>>>;
