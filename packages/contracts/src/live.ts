import { z } from 'zod';
import { AGENT_STATUSES } from './agent.js';
import { FLEET_EVENT_TYPES, TASK_EVENT_TYPES } from './events.js';
import { TASK_STATUSES } from './task.js';
import { agentId, timestamp, uuid } from './words.js';

const instant = timestamp.nullable();

/** The latest change of a task, as the live stream shows it. */
export const liveTask = z.object({
  id: uuid,
  version: z.number().int(),
  event: z.enum(TASK_EVENT_TYPES),
  at: timestamp,
  status: z.enum(TASK_STATUSES),
  reason: z.string().nullable(),
  type: z.string(),
  priority: z.number().int(),
  agent: agentId.nullable(),
  attempt: z.number().int(),
  parentTaskId: uuid.nullable(),
  rootTaskId: uuid,
  errorCode: z.string().nullable(),
  createdAt: timestamp,
  startedAt: instant,
  completedAt: instant,
});
export type LiveTask = Readonly<z.infer<typeof liveTask>>;

/** The latest change of an agent. */
export const liveAgent = z.object({
  id: agentId,
  event: z.enum(FLEET_EVENT_TYPES),
  at: timestamp,
  status: z.enum(AGENT_STATUSES),
  reason: z.string().nullable(),
  maxConcurrent: z.number().int(),
});
export type LiveAgent = Readonly<z.infer<typeof liveAgent>>;

/** `data` of a `changes` event of `GET /v1/stream`: of each task and agent its latest change alone. */
export const liveChanges = z.object({ tasks: z.array(liveTask), agents: z.array(liveAgent) });
