import { z } from 'zod';
import { AGENT_STATUSES } from './agent.js';
import { decisionAsSent } from './decision.js';
import { capability, criteria, priority, requiredCapability, TASK_STATUSES } from './task.js';
import { agentId, traceparent, uuid } from './words.js';
import type { Actor } from './words.js';

/**
 * A time as task-service writes it: ISO 8601 in UTC. Taken as it is, since it comes from no stranger: to check seven
 * times in each event was a third of what an event costs to read.
 */
const instant = z.string().max(30);

/**
 * What the distribution must know about a queued task. On the bus fields that are not known are ignored, inside lists
 * too: services of two versions run side by side.
 `queueKey` is in milliseconds of the epoch.
 */
export const needs = z.object({
  backlogClass: z.string().nullable(),
  queueKey: z.number(),
  requiredCapabilities: z.array(z.object(requiredCapability.shape)),
  preferredCapabilities: z.array(z.string()),
  criteria: z.object({
    ...criteria.omit({ pin: true }).shape,
    // Beside those that were asked for: who declined it, whom it was with before. As many as there were.
    excludedAgents: z.array(agentId).optional(),
    preferredAgents: z.array(agentId).optional(),
  }),
  /** It waits for this agent alone: `backlogClass` is that of tasks pinned to it. */
  pinnedTo: agentId.optional(),
  /** Agents passed over for a while, each until the time given. */
  skippedAgents: z.array(z.object({ agentId, until: instant })),
  /** The agent whose connections count: the delegator, else the creator if it is an agent. */
  connectedFrom: agentId.nullable(),
});
export type Needs = z.infer<typeof needs>;

/**
 * What every task event carries: enough for views and scorers, never input, context or result.
 * `needs` is there when the task became ready, `decision` when it was assigned, `left` when an agent ceased to hold it.
 */
export const taskEventData = z.object({
  status: z.enum(TASK_STATUSES),
  reason: z.string().nullable(),
  type: z.string(),
  priority,
  createdBy: z.string().transform((value) => value as Actor),
  agent: agentId.nullable(),
  parentTaskId: uuid.nullable(),
  rootTaskId: uuid,
  retryCount: z.number().int(),
  lostCount: z.number().int(),
  createdAt: instant,
  firstQueuedAt: instant.nullable(),
  assignedAt: instant.nullable(),
  startedAt: instant.nullable(),
  completedAt: instant.nullable(),
  errorCode: z.string().nullable(),
  /** Who handed it on, first to last; absent when nobody did. */
  delegationChain: z.array(agentId).optional(),
  /**
   * The hold that ended with this change; `startedAt` is null when the agent never began. `capabilities`: the names of
   * those the task required, absent when there were none.
   */
  left: z
    .object({
      agent: agentId,
      assignedAt: instant,
      startedAt: instant.nullable(),
      capabilities: z.array(z.string()).optional(),
    })
    .optional(),
  needs: needs.optional(),
  decision: decisionAsSent.optional(),
});
export type TaskEventData = z.infer<typeof taskEventData>;

const fleetEventData = z.object({
  status: z.enum(AGENT_STATUSES),
  epoch: z.number().int(),
  capabilities: z.array(z.object(capability.shape)),
  maxConcurrent: z.number().int(),
  prefetch: z.number().int(),
  reason: z.string().nullable(),
});

const connectionEventData = z.object({ to: agentId, strength: z.number().nullable() });

/** The one registry of events: type (which is also its subject), stream, schema of `data`, and what it tells. */
export const EVENTS = {
  'task.created': {
    stream: 'TASKS',
    data: taskEventData,
    tells: 'A task was recorded: queued, blocked, or held',
  },
  'task.queued': {
    stream: 'TASKS',
    data: taskEventData,
    tells: 'A task became ready (again); `reason` says why',
  },
  'task.assigned': {
    stream: 'TASKS',
    data: taskEventData,
    tells: 'An agent was chosen; carries the decision',
  },
  'task.started': { stream: 'TASKS', data: taskEventData, tells: 'The holder works on it' },
  'task.blocked': { stream: 'TASKS', data: taskEventData, tells: 'It waits for something named' },
  'task.delegated': { stream: 'TASKS', data: taskEventData, tells: 'The holder handed it over' },
  'task.completed': { stream: 'TASKS', data: taskEventData, tells: 'Done, with a result' },
  'task.failed': { stream: 'TASKS', data: taskEventData, tells: 'Given up; `errorCode` says why' },
  'task.cancelled': { stream: 'TASKS', data: taskEventData, tells: 'Called off' },
  'task.updated': { stream: 'TASKS', data: taskEventData, tells: 'Fields changed, the status did not' },
  'task.deleted': { stream: 'TASKS', data: taskEventData, tells: 'Removed' },
  'fleet.registered': { stream: 'FLEET', data: fleetEventData, tells: 'An agent became known' },
  'fleet.online': { stream: 'FLEET', data: fleetEventData, tells: 'An agent said hello' },
  'fleet.offline': { stream: 'FLEET', data: fleetEventData, tells: 'An agent left or was found silent' },
  'fleet.updated': {
    stream: 'FLEET',
    data: fleetEventData,
    tells: 'Capabilities, capacity or draining changed',
  },
  'fleet.removed': { stream: 'FLEET', data: fleetEventData, tells: 'An agent was removed' },
  'fleet.connected': {
    stream: 'FLEET',
    data: connectionEventData,
    tells: 'An edge between agents was made or changed',
  },
  'fleet.disconnected': {
    stream: 'FLEET',
    data: connectionEventData,
    tells: 'An edge between agents was removed',
  },
} as const;

export type EventType = keyof typeof EVENTS;
export type TaskEventType = Extract<EventType, `task.${string}`>;
export type FleetEventType = Extract<EventType, `fleet.${string}`>;

const types = Object.keys(EVENTS) as EventType[];
export const TASK_EVENT_TYPES = types.filter((type): type is TaskEventType => type.startsWith('task.'));
export const FLEET_EVENT_TYPES = types.filter((type): type is FleetEventType => type.startsWith('fleet.'));

/** CloudEvents 1.0 in the JSON batch format: a message is a non-empty array of events of the subject's type. */
export const EVENT_BATCH_CONTENT_TYPE = 'application/cloudevents-batch+json';
/** A message larger than this is split. */
export const EVENT_BATCH_BYTES = 512 * 1024;

const envelope = {
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  subject: z.string(),
  time: instant,
  datacontenttype: z.literal('application/json'),
  traceparent: traceparent.optional(),
};

/** A task event; `id` is `<task id>:<version>`, so that whoever counts can tell a repetition. */
export type TaskEvent<T extends TaskEventType = TaskEventType> = {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: T;
  /** The task's id. */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly traceparent?: string | undefined;
  readonly taskversion: number;
  readonly attempt: number;
  readonly data: TaskEventData;
};

export const taskEvent = z.object({
  ...envelope,
  type: z.enum(TASK_EVENT_TYPES),
  subject: uuid,
  taskversion: z.number().int().min(1),
  attempt: z.number().int().min(0),
  data: taskEventData,
});
export const taskEventBatch = z.array(taskEvent).min(1);

export const fleetEvent = z.object({
  ...envelope,
  type: z.enum(FLEET_EVENT_TYPES),
  subject: agentId,
  data: z.union([fleetEventData, connectionEventData]),
});
export type FleetEvent = z.infer<typeof fleetEvent>;
export const fleetEventBatch = z.array(fleetEvent).min(1);
