import { z } from 'zod';
import { text } from './json.js';
import { labels } from './labels.js';
import { DEFAULTS, LIMITS } from './limits.js';
import { agentId, timestamp, word } from './words.js';
import { capability } from './task.js';

export const AGENT_STATUSES = ['online', 'draining', 'offline'] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

const capabilities = z.array(capability).max(LIMITS.capabilities);
const maxConcurrent = z.number().int().min(1).max(10_000);
const prefetch = z.number().int().min(0).max(2);
const milliseconds = z.number().int().min(100).max(600_000);

/** What an operator says to register an agent. `heartbeatMs` and `expireMs` are milliseconds. */
export const registerAgent = z
  .strictObject({
    id: agentId,
    name: text({ min: 1, maxCharacters: 255 }).optional(),
    description: text({ maxBytes: LIMITS.descriptionBytes }).default(''),
    capabilities: capabilities.default([]),
    maxConcurrent: maxConcurrent.default(DEFAULTS.maxConcurrent),
    prefetch: prefetch.default(DEFAULTS.prefetch),
    labels: labels.default({}),
    heartbeatMs: milliseconds.default(DEFAULTS.heartbeatMs),
    expireMs: milliseconds.default(DEFAULTS.expireMs),
  })
  .refine((agent) => agent.expireMs >= 2 * agent.heartbeatMs, {
    message: 'expected at least two heartbeats before an agent counts as lost',
    path: ['expireMs'],
  });
export type RegisterAgent = z.infer<typeof registerAgent>;

/** Body of `PATCH /v1/agents/{id}`. Its beats must still leave two of them before it counts as lost. */
export const patchAgent = z
  .strictObject({
    name: text({ min: 1, maxCharacters: 255 }),
    description: text({ maxBytes: LIMITS.descriptionBytes }),
    capabilities,
    maxConcurrent,
    prefetch,
    labels,
    heartbeatMs: milliseconds,
    expireMs: milliseconds,
  })
  .partial();
export type PatchAgent = z.infer<typeof patchAgent>;

/** What an agent announces at `hello`. */
export const announcement = z.object({
  capabilities: z.array(z.object(capability.shape)).max(LIMITS.capabilities).default([]),
  maxConcurrent: maxConcurrent.default(DEFAULTS.maxConcurrent),
  prefetch: prefetch.default(DEFAULTS.prefetch),
  labels: labels.default({}),
});

/** How much an agent has to do. */
export const agentWorkload = z.object({
  pending: z.number().int(),
  active: z.number().int(),
  capacityUtilization: z.number(),
  queueDepth: z.number().int(),
  canAccept: z.boolean(),
});
export type AgentWorkload = Readonly<z.infer<typeof agentWorkload>>;

/** An agent as every surface shows it. */
export const agentView = z.object({
  id: agentId,
  name: z.string(),
  description: z.string(),
  capabilities: z.array(z.object({ name: word, level: z.number() })).readonly(),
  maxConcurrent,
  prefetch,
  labels: z.record(z.string(), z.string()),
  heartbeatMs: milliseconds,
  expireMs: milliseconds,
  status: z.enum(AGENT_STATUSES),
  /** An operator drained it: it stays `draining` whichever of its processes comes, until it is resumed. */
  drained: z.boolean(),
  epoch: z.number().int(),
  lastSeenAt: timestamp.nullable(),
  createdAt: timestamp,
  workload: agentWorkload,
});
export type AgentView = Readonly<z.infer<typeof agentView>>;

export const connection = z.strictObject({
  strength: z.number().min(0).max(1).default(1),
  bidirectional: z.boolean().default(false),
});
export const connectionView = z.object({ from: agentId, to: agentId, strength: z.number() });
export type ConnectionView = Readonly<z.infer<typeof connectionView>>;

export const listAgents = z.strictObject({
  available: z.enum(['true', 'false']).optional(),
  capability: word.optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.listPage).default(50),
  cursor: z.string().max(512).optional(),
});
export type ListAgents = z.infer<typeof listAgents>;
