import { z } from 'zod';
import { text } from './json.js';
import { DEFAULTS, LIMITS } from './limits.js';
import { agentId, word } from './words.js';
import { capability, type Capability } from './task.js';

export const AGENT_STATUSES = ['online', 'draining', 'offline'] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

const capabilities = z.array(capability).max(LIMITS.capabilities);
const labels = z
  .record(z.string().max(63), z.string().max(255))
  .refine((value) => Object.keys(value).length <= LIMITS.tags, `at most ${LIMITS.tags} labels`);
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

/** What an agent announces at `hello`. */
export const announcement = z.object({
  capabilities: z.array(z.object(capability.shape)).max(LIMITS.capabilities).default([]),
  maxConcurrent: maxConcurrent.default(DEFAULTS.maxConcurrent),
  prefetch: prefetch.default(DEFAULTS.prefetch),
  labels: labels.default({}),
});

/** An agent as every surface shows it. */
export type AgentView = {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly capabilities: readonly Capability[];
  readonly maxConcurrent: number;
  readonly prefetch: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly heartbeatMs: number;
  readonly expireMs: number;
  readonly status: AgentStatus;
  readonly epoch: number;
  readonly lastSeenAt: string | null;
  readonly createdAt: string;
  readonly workload: AgentWorkload;
};

export type AgentWorkload = {
  readonly pending: number;
  readonly active: number;
  readonly capacityUtilization: number;
  readonly queueDepth: number;
  readonly canAccept: boolean;
};

export const connection = z.strictObject({
  strength: z.number().min(0).max(1).default(1),
  bidirectional: z.boolean().default(false),
});
export type ConnectionView = { readonly from: string; readonly to: string; readonly strength: number };

export const listAgents = z.strictObject({
  available: z.enum(['true', 'false']).optional(),
  capability: word.optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.listPage).default(50),
  cursor: z.string().max(512).optional(),
});
export type ListAgents = z.infer<typeof listAgents>;
