import { z } from 'zod';
import { AGENT_STATUSES } from './agent.js';
import { decision, waiting } from './decision.js';
import { needs } from './events.js';
import { labels } from './labels.js';
import { LIMITS } from './limits.js';
import { learnedOutcome, OUTCOMES_SERVED } from './outcome.js';
import { policyEntry } from './policy.js';
import { SHARDS } from './shards.js';
import { capability, priority } from './task.js';
import { heldBack } from './task-type.js';
import { agentId, timestamp, uuid } from './words.js';
import type { ErrorBody } from './errors.js';

/** Requests between services: batches in, one answer per item out, in the same order. */
export type ItemAnswer<T extends object> =
  ({ readonly ok: true } & T) | { readonly ok: false; readonly error: ErrorBody };
export type ItemAnswers<T extends object> = { readonly items: readonly ItemAnswer<T>[] };

const shard = z
  .number()
  .int()
  .min(0)
  .max(SHARDS - 1);

/**
 * `svc.task.assign`: bind tasks to agents. A lost race is an ordinary refusal of its item. `shardEpoch` is that of the
 * lease by which the sender decides about the agent; an outdated one is refused.
 */
export const assignRequest = z.object({
  items: z
    .array(
      z.object({
        taskId: uuid,
        /** What was decided about: a task that has changed since is not bound by it. Older distributors do not tell. */
        version: z.int32().min(1).optional(),
        agentId,
        shardEpoch: z.number().int(),
        decision,
      }),
    )
    .min(1)
    .max(LIMITS.agentItems),
});
export type AssignRequest = z.infer<typeof assignRequest>;
export const assigned = z.object({ taskId: uuid, attempt: z.number().int(), version: z.number().int() });
export type AssignAnswer = ItemAnswers<z.infer<typeof assigned>>;

/** A queued task as the distribution sees it. */
export const queuedTask = z.object({
  id: uuid,
  version: z.number().int(),
  type: z.string(),
  priority,
  firstQueuedAt: timestamp,
  traceparent: z.string().optional(),
  needs: needs.extend({ backlogClass: z.string() }),
});
export type QueuedTask = z.infer<typeof queuedTask>;

/** Where a reader of a class stands: behind this task in (queueKey, id) order. */
export const backlogCursor = z.object({ queueKey: z.number(), id: uuid });
export type BacklogCursor = z.infer<typeof backlogCursor>;

/**
 * `svc.task.backlog`: the best queued tasks of each class named, behind its cursor; and, when `discover` is
 * given, up to that many classes that have queued tasks, after the class named, each with its first task.
 */
export const backlogRequest = z.object({
  classes: z
    .array(
      z.object({
        backlogClass: z.string(),
        after: backlogCursor.optional(),
        limit: z.number().int().min(1).max(LIMITS.agentItems),
      }),
    )
    .max(200)
    .default([]),
  discover: z.object({ after: z.string().optional(), limit: z.number().int().min(1).max(200) }).optional(),
});
export type BacklogRequest = z.input<typeof backlogRequest>;
export const backlogAnswer = z.object({
  classes: z.array(z.object({ backlogClass: z.string(), tasks: z.array(queuedTask), more: z.boolean() })),
  discovered: z.array(queuedTask),
  /** Absent from a task-service that knows no pauses. */
  heldBack: heldBack.optional(),
});
export type BacklogAnswer = z.infer<typeof backlogAnswer>;

/** An agent as distributors know it; `svc.fleet` carries it after every committed change. */
export const fleetEntry = z.object({
  agentId,
  status: z.enum(AGENT_STATUSES),
  epoch: z.number().int(),
  capabilities: z.array(z.object(capability.shape)),
  maxConcurrent: z.number().int(),
  prefetch: z.number().int(),
  heartbeatMs: z.number().int(),
  expireMs: z.number().int(),
  connections: z.array(z.object({ to: agentId, strength: z.number() })),
  /** Absent from a task-service that does not tell. */
  labels: labels.exactOptional(),
});
export type FleetEntry = z.infer<typeof fleetEntry>;

/** `svc.slots`: which tasks of which agents began or ceased to be held; `version` tells the newer of two. */
export const slotsHint = z.array(
  z.object({
    agentId,
    taskId: uuid,
    attempt: z.number().int(),
    version: z.number().int(),
    held: z.boolean(),
  }),
);
export type SlotsHint = z.infer<typeof slotsHint>;

/** `svc.agent.snapshot`: agents with what they hold, by id, a page at a time; or just those named. */
export const snapshotRequest = z.object({
  agentIds: z.array(agentId).max(500).optional(),
  after: agentId.optional(),
  limit: z.number().int().min(1).max(500).default(500),
});
export type SnapshotRequest = z.input<typeof snapshotRequest>;
export const snapshotAnswer = z.object({
  agents: z.array(
    fleetEntry.extend({
      held: z.array(
        z.object({
          taskId: uuid,
          attempt: z.number().int(),
          version: z.number().int(),
          /** For how long it is in progress, by the database's clock; absent while it is merely assigned. */
          runningMs: z.number().optional(),
        }),
      ),
      /** What became of its tasks. Absent from a task-service that does not learn. */
      outcomes: z.array(learnedOutcome).max(OUTCOMES_SERVED).optional(),
    }),
  ),
  /** All policies somebody put. Absent from a task-service that knows none. */
  policies: z.array(policyEntry).max(LIMITS.policies).optional(),
  /** The time of the database, by which `until` of a skipped agent is meant. */
  now: timestamp.optional(),
  next: agentId.nullable(),
});
export type SnapshotAnswer = z.infer<typeof snapshotAnswer>;

/** `svc.agent.expire`: these epochs of agents fell silent. */
export const expireRequest = z.object({
  items: z
    .array(z.object({ agentId, epoch: z.number().int(), silentMs: z.number() }))
    .min(1)
    .max(LIMITS.agentItems),
});
export type ExpireRequest = z.infer<typeof expireRequest>;
export const expired = z.object({ agentId, expired: z.boolean() });
export type ExpireAnswer = ItemAnswers<z.infer<typeof expired>>;

/**
 * `svc.task.forgotten`: these tasks are in progress for three beats and more, and the last two beats of the agent's
 * epoch did not list them. Each is taken from its agent and goes on elsewhere; one that changed since it had this
 * version, or began later than that, is an ordinary refusal of its item.
 */
export const forgottenRequest = z.object({
  items: z
    .array(
      z.object({
        agentId,
        epoch: z.number().int(),
        taskId: uuid,
        attempt: z.number().int(),
        version: z.number().int(),
      }),
    )
    .min(1)
    .max(LIMITS.agentItems),
});
export type ForgottenRequest = z.infer<typeof forgottenRequest>;
export const forgotten = z.object({ taskId: uuid, version: z.number().int() });
export type ForgottenAnswer = ItemAnswers<z.infer<typeof forgotten>>;

/** A lease to be given back. By its epoch, so that a late call frees nothing that was taken again meanwhile. */
const givenBack = z.object({ shard, epoch: z.number().int() });

/**
 * `svc.shard.lease`: a distributor lives, and wants its share of the shards for another while. `release` names shards
 * it has ceased to use; `leaving` that it has ceased to use any and will not be back.
 */
export const leaseRequest = z.object({
  instance: uuid,
  release: z.array(givenBack).max(SHARDS).default([]),
  leaving: z.boolean().default(false),
});
export type LeaseRequest = z.infer<typeof leaseRequest>;
/**
 * Every shard with its owner. The caller's are its own for `leaseMs` from before it asked. `release` names those it is
 * to give back, as others have less than their share: they stay its own until it does so.
 */
export const leaseAnswer = z.object({
  leaseMs: z.number().int(),
  shards: z.array(z.object({ shard, epoch: z.number().int(), owner: uuid.nullable() })),
  release: z.array(givenBack),
});
export type LeaseAnswer = z.infer<typeof leaseAnswer>;

/** `svc.distribution.place.<shard>`: queued tasks for which a neighbour has no room, to be tried once. */
export const placeRequest = z.object({ tasks: z.array(queuedTask).min(1).max(LIMITS.agentItems) });
export type PlaceRequest = z.infer<typeof placeRequest>;
/** Those that need no agent any more: bound now, or no longer queued. */
export const placeAnswer = z.object({ placed: z.array(uuid) });
export type PlaceAnswer = z.infer<typeof placeAnswer>;

/** `svc.distribution.explain`: why would this queued task wait now? */
export const explainRequest = z.object({ task: queuedTask });
export const explainAnswer = waiting;
