import { z } from 'zod';
import type { AgentAnswer } from './agent-protocol.js';
import { jsonValue, text } from './json.js';
import { LIMITS } from './limits.js';
import { taskError } from './task.js';
import type { TaskStatus } from './task.js';
import { uuid } from './words.js';

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
