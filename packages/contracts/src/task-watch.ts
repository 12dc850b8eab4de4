import { z } from 'zod';
import { TASK_STATUSES } from './task.js';
import { taskDetail, taskHistoryEntry } from './task-view.js';
import { timestamp, uuid } from './words.js';

/** `task.<id>.feed`: the task is at this version now. Whoever watches reads what that is. */
export const taskFeed = z.object({ version: z.number().int(), status: z.enum(TASK_STATUSES) });
export type TaskFeed = z.infer<typeof taskFeed>;

/** `task.<id>.progress`: how far an attempt says it is. */
export const taskProgress = z.object({
  attempt: z.number().int(),
  percent: z.number(),
  message: z.string().nullable(),
  at: timestamp,
});
export type TaskProgressHint = z.infer<typeof taskProgress>;

/** The longest a request of an agent is held, and one over HTTP. */
export const WAIT_LIMITS = { callMs: 25_000, preferSeconds: 60 } as const;

export const callWait = z.object({
  taskId: uuid,
  timeoutMs: z.number().int().min(0).max(WAIT_LIMITS.callMs).default(WAIT_LIMITS.callMs),
});
/** `ended`: whether the task has, or the time is over. */
export const callWaitAnswer = z.object({ ended: z.boolean(), task: taskDetail });

export const callHistory = z.object({ taskId: uuid, after: z.int32().min(0).default(0) });
export const callHistoryAnswer = z.object({ data: z.array(taskHistoryEntry) });
export const callDecision = z.object({ taskId: uuid });
