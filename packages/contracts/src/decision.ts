import { z } from 'zod';
import { agentId, uuid } from './words.js';

/**
 * Why agents were not considered, in the order the filter asks. An agent counts under its first reason. `other_shard`: it
 * could do the task, and another distributor decides about it.
 */
export const FILTER_REASONS = [
  'offline',
  'draining',
  'criteria',
  'excluded',
  'capability',
  'capacity',
  'other_shard',
] as const;
export type FilterReason = (typeof FILTER_REASONS)[number];

/** `0.4·capability + 0.3·workload + 0.2·priority + 0.1·connection`, the default weights of the policy `weighted`. */
export const SCORE_WEIGHTS = { capability: 0.4, workload: 0.3, priority: 0.2, connection: 0.1 } as const;
export type ScorePartName = keyof typeof SCORE_WEIGHTS;
/** The parts in the order they are recorded. */
export const SCORE_PARTS = Object.keys(SCORE_WEIGHTS) as readonly ScorePartName[];

/**
 * The weight of the part `affinity`, which only tasks that prefer agents or labels have, in every policy: more than any
 * difference in load, less than one in capability.
 */
export const AFFINITY_WEIGHT = 0.3;

const scorePart = z.object({
  // A text: a distributor of a newer version may know more parts.
  name: z.string().max(64),
  value: z.number(),
  weight: z.number(),
});
export const score = z.object({ agentId, total: z.number(), parts: z.array(scorePart) });
export type Score = z.infer<typeof score>;

/** The stored record of why an agent was chosen. */
export const decision = z.object({
  policy: z.string().max(64),
  policyVersion: z.number().int(),
  chosen: score,
  runnersUp: z.array(score).max(3),
  considered: z.number().int(),
  filtered: z.record(z.string().max(64), z.number().int()),
  /** Microseconds spent deciding. */
  tookMicros: z.number(),
});
export type Decision = z.infer<typeof decision>;

/**
 * A decision on its way from task-service, which checked it when it was proposed. Nothing is decided by it any more,
 * and to check it takes 1.9 µs, the rest of an event 1.3.
 */
export const decisionAsSent = z.custom<Decision>((value) => typeof value === 'object' && value !== null);

const WAITING_REASONS = [
  'NO_CAPABLE_AGENT',
  'ALL_AT_CAPACITY',
  'MIN_SCORE_NOT_REACHED',
  'BLOCKED_BY_DEPENDENCY',
  'BLOCKED_BY_CHILDREN',
  'BLOCKED_BY_QUESTION',
  'DELAYED_UNTIL',
  'BACKOFF',
  'RATE_LIMITED',
  'HELD',
  'PINNED',
  'PAUSED',
  'TYPE_AT_CAPACITY',
  'READY',
  'ENDED',
] as const;

/** Why a task is not with an agent now, and what to do. */
export const waiting = z.object({
  reason: z.enum(WAITING_REASONS),
  evidence: z.record(z.string(), z.unknown()),
  nextStep: z.string(),
});
export type Waiting = Readonly<z.infer<typeof waiting>>;

/** What `GET /v1/tasks/{id}/decision` answers. */
export const decisionView = z.object({
  taskId: uuid,
  status: z.string(),
  attempt: z.number().int(),
  /** The decision behind the latest assignment, if there was one. */
  decision: decision.nullable(),
  /** Null while an agent holds the task. */
  waiting: waiting.nullable(),
});
export type DecisionView = Readonly<z.infer<typeof decisionView>>;
