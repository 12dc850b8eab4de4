import { z } from 'zod';
import { agentWorkload } from './agent.js';
import { LIMITS } from './limits.js';
import { queuedTask } from './service-protocol.js';
import { priority } from './task.js';
import { agentId, timestamp, uuid } from './words.js';

/** `GET /v1/agents/{id}/workload`; `completed` counts since the agent was registered. */
export const workloadView = agentWorkload.extend({ completed: z.number().int() });
export type WorkloadView = Readonly<z.infer<typeof workloadView>>;

/** A task in the queue of an agent, and since when it stands there. */
const queueEntry = z.object({ taskId: uuid, type: z.string(), priority, since: timestamp });
export type QueueEntry = Readonly<z.infer<typeof queueEntry>>;
const entries = z.array(queueEntry).readonly();

/** `GET /v1/agents/{id}/queue`: what an agent works on, has, and is to have. */
export const agentQueue = z.object({
  running: entries,
  /** Assigned to it and not begun, the next first. */
  bound: entries,
  /** Waiting for this agent alone; the first 100. */
  pinned: entries,
  /** Ready tasks for which it is the best agent now; they are anyone's until bound. Null: the distribution is away. */
  soft: entries.nullable(),
  /** The task it is to begin next, as things are. */
  next: uuid.nullable(),
});
export type AgentQueue = Readonly<z.infer<typeof agentQueue>>;

/** `POST /v1/agents/{id}/redistribute`: what went back into the queue, and what did not and why. */
export const redistributed = z.object({
  requeued: z.array(uuid).readonly(),
  kept: z
    .array(z.object({ id: uuid, why: z.enum(['in_progress', 'only_this_agent', 'changed']) }))
    .readonly(),
});
export type Redistributed = Readonly<z.infer<typeof redistributed>>;

/** `svc.distribution.best`: for which of these queued tasks is this agent the best, full or not? */
export const bestRequest = z.object({ agentId, tasks: z.array(queuedTask).max(LIMITS.agentItems) });
export const bestAnswer = z.object({ best: z.array(uuid) });
