import { z } from 'zod';
import type { AgentAnswer } from './agent-protocol.js';
import { jsonValue, text } from './json.js';
import { LIMITS } from './limits.js';
import { TASK_STATUSES, taskError } from './task.js';
import type { ReportVerb, TaskVerb } from './subjects.js';
import { artifact, logLine } from './task-reports.js';
import { usage } from './usage.js';
import { agentId, traceparent, uuid } from './words.js';
import { blockForAnswer, blockForChildren } from './workflow.js';

// Columns of the database are as wide: a larger number would be its error, not a refusal.
const counter = z.int32().min(0);
const held = {
  taskId: uuid,
  attempt: counter,
  epoch: counter,
  commandId: uuid,
  /** The span the command is said in; for one that comes alone the header does. */
  traceparent: traceparent.optional(),
};

const used = usage.optional();

const progress = {
  percent: z.number().min(0).max(100),
  message: text({ maxCharacters: 1_000 }).optional(),
  usage: used,
};
const complete = { result: jsonValue.optional(), usage: used };
const handOver = { to: agentId, usage: used };
const giveBack = { reason: z.enum(['draining', 'declined']), usage: used };

/** `agent.<id>.task.<verb>`: each carries the fence; `commandId` makes a repetition harmless. */
export const taskCommands = {
  start: z.object(held),
  progress: z.object({ ...held, ...progress }),
  log: z.object({ ...held, ...logLine }),
  artifact: z.object({ ...held, artifact }),
  checkpoint: z.object({ ...held, checkpoint: jsonValue }),
  complete: z.object({ ...held, ...complete }),
  fail: z.object({ ...held, error: z.object(taskError.shape), usage: used }),
  return: z.object({ ...held, ...giveBack }),
  delegate: z.object({ ...held, ...handOver }),
  block: z.discriminatedUnion('reason', [
    z.object({ ...held, ...blockForChildren }),
    z.object({ ...held, ...blockForAnswer }),
  ]),
} as const;
export type ProgressCommand = z.infer<typeof taskCommands.progress>;

const inStead = { agentId, attempt: counter, epoch: counter, commandId: uuid.optional() };

/** `POST /v1/tasks/{id}/<verb>`: the same words, said in the stead of the agent that holds the task. */
export const heldRequests = {
  start: z.strictObject(inStead),
  progress: z.strictObject({ ...inStead, ...progress }),
  complete: z.strictObject({ ...inStead, ...complete }),
  fail: z.strictObject({ ...inStead, error: taskError, usage: used }),
  return: z.strictObject({ ...inStead, ...giveBack }),
  delegate: z.strictObject({ ...inStead, ...handOver }),
  block: z.discriminatedUnion('reason', [
    z.strictObject({ ...inStead, ...blockForChildren }),
    z.strictObject({ ...inStead, ...blockForAnswer }),
  ]),
} as const satisfies Record<Exclude<TaskVerb, ReportVerb>, z.ZodType>;

/** One command, or several in one message: the items are then parsed and answered one by one. */
export const taskItems = z.object({ items: z.array(z.unknown()).min(1).max(LIMITS.agentItems) });

/** Where the task is after the command, which is committed by then. */
export const taskAnswer = z.object({
  taskId: uuid,
  status: z.enum(TASK_STATUSES),
  attempt: z.number().int(),
  version: z.number().int(),
});
export type TaskAnswer = AgentAnswer<Readonly<z.infer<typeof taskAnswer>>>;
export type TaskItemsAnswer = { readonly ok: true; readonly items: readonly TaskAnswer[] };
