import { z } from 'zod';
import { priority, TASK_STATUSES, TERMINAL_STATUSES } from './task.js';
import { agentId, word } from './words.js';

/** What figures can be told apart by; `time` by the buckets of the window. */
export const METRIC_GROUPINGS = ['agent', 'type', 'priority', 'time'] as const;
export type MetricGrouping = (typeof METRIC_GROUPINGS)[number];

const UNIT_SECONDS = { m: 60, h: 3_600, d: 86_400 } as const;
const LONGEST_WINDOW_SECONDS = 400 * 86_400;

/** Seconds of a window such as `15m`, `1h` or `7d`; null of `all`. */
export function windowSeconds(window: string): number | null {
  if (window === 'all') return null;
  return Number(window.slice(0, -1)) * UNIT_SECONDS[window.at(-1) as keyof typeof UNIT_SECONDS];
}

const window = z
  .string()
  .regex(/^(all|[1-9]\d{0,4}[mhd])$/, 'expected minutes, hours or days such as 15m, 1h or 7d, or all')
  .refine((text) => !((windowSeconds(text) ?? 0) > LONGEST_WINDOW_SECONDS), 'expected at most 400d, or all')
  .default('1h')
  .describe('How far back: 15m, 1h, 7d, or all. Begins at the beginning of a bucket of 10 s, 1 min or 1 h.');

const groupBy = z
  .string()
  .transform((text) => text.split(','))
  .pipe(
    z.array(z.enum(METRIC_GROUPINGS)).refine((names) => new Set(names).size === names.length, 'named twice'),
  )
  .default([])
  .describe('agent, type, priority and time, separated by commas.');

const percentiles = z
  .string()
  .regex(/^\d{1,2}(\.\d{1,3})?(,\d{1,2}(\.\d{1,3})?){0,9}$/, 'expected up to ten numbers from 0 to 99.999')
  .transform((text) => text.split(',').map(Number))
  .default([50, 90, 99])
  .describe('Which percentiles, such as 50,95,99.');

const filters = {
  agent: agentId.optional(),
  type: word.optional(),
  priority: z
    .string()
    .regex(/^[1-5]$/, 'expected 1 to 5')
    .transform(Number)
    .optional(),
};

/** Query of `GET /v1/metrics/tasks`. */
export const taskMetricsQuery = z
  .strictObject({ window, groupBy, percentiles, ...filters })
  .refine((query) => query.window !== 'all' || !query.groupBy.includes('time'), {
    path: ['groupBy'],
    message: 'all is one bucket: name a window to group by time',
  });
export type TaskMetricsQuery = z.infer<typeof taskMetricsQuery>;

/** Query of `GET /v1/metrics/agents`. */
export const agentMetricsQuery = z.strictObject({
  window,
  percentiles,
  type: filters.type,
  priority: filters.priority,
});
export type AgentMetricsQuery = z.infer<typeof agentMetricsQuery>;

/** Query of `GET /v1/metrics/delegations`. */
export const delegationMetricsQuery = z.strictObject({ window, percentiles, ...filters });
export type DelegationMetricsQuery = z.infer<typeof delegationMetricsQuery>;

const count = z.number().int();
const orNull = z.number().nullable();
/** `mean`, and `p50` and so on as asked for; seconds, null of nothing. Percentiles are within 1 %. */
const distribution = z.record(z.string(), orNull);
const ends = z.object(
  Object.fromEntries(TERMINAL_STATUSES.map((status) => [status, count])) as Record<
    (typeof TERMINAL_STATUSES)[number],
    typeof count
  >,
);

const figures = {
  created: count,
  queued: count,
  assigned: count,
  started: count,
  blocked: count,
  ended: ends,
  completionRate: orNull,
  failureRate: orNull,
  throughputPerHour: orNull,
  duration: distribution,
  run: distribution,
  wait: distribution,
  endToEnd: distribution,
  delegation: z.object({ delegated: count, completed: count, ended: count, efficiency: orNull }),
};
/** Of the events in a window; rates 0 to 1, null where there is nothing to divide by. */
export const metricFigures = z.object(figures);
export type MetricFigures = z.infer<typeof metricFigures>;

const span = {
  window: z.string(),
  /** When the first bucket begins, and the moment of the answer. */
  from: z.string().nullable(),
  asOf: z.string(),
  windowSeconds: z.number(),
};
const filtered = z.object({
  agent: agentId.nullable(),
  type: word.nullable(),
  priority: priority.nullable(),
});

const recovery = z.object({
  /** Times that work was taken from an agent or given back, */
  total: count,
  /** by reason: `expired`, `returned`, `retry:timeout` … */
  reasons: z.record(z.string(), count),
});

/** Answer of `GET /v1/metrics/tasks`. */
export const taskMetrics = z.object({
  ...span,
  filters: filtered,
  /** Tasks by their present state, whatever the window. */
  states: z.record(z.enum(TASK_STATUSES), count),
  /** Seconds since the oldest task of each open state was created. */
  oldestSeconds: z.record(z.string(), orNull),
  backlog: z.object({ queued: count, oldestSeconds: orNull }),
  ...figures,
  recovery,
  /** By `groupBy`; those with most ends first, at most 1,000. */
  groups: z.array(
    z.object({
      agent: z.string().nullable().optional(),
      type: z.string().optional(),
      priority: count.optional(),
      at: z.string().optional(),
      ...figures,
    }),
  ),
  groupsTotal: count,
});
export type TaskMetrics = z.infer<typeof taskMetrics>;

const agentFigures = {
  agentId: z.string(),
  ...figures,
  /** In progress, and assigned and not begun: now. */
  active: count,
  pending: count,
  maxConcurrent: count,
  onlineSeconds: z.number(),
  /** The integral of active / maxConcurrent over the time online in the window. */
  utilization: orNull,
};

/** Answer of `GET /v1/metrics/agents`. */
export const agentsMetrics = z.object({
  ...span,
  /** Busiest first, at most 1,000. */
  agents: z.array(z.object(agentFigures)),
  agentsTotal: count,
  /** How evenly agents that were online are used: Jain's index (1: all alike), deviation / mean of utilization. */
  distribution: z.object({ agents: count, jain: orNull, coefficientOfVariation: orNull }),
});
export type AgentsMetrics = z.infer<typeof agentsMetrics>;

/** Answer of `GET /v1/metrics/agents/{id}`. */
export const agentMetrics = z.object({
  ...span,
  ...agentFigures,
  recovery,
  types: z.array(z.object({ type: z.string(), ...figures })),
});
export type AgentMetrics = z.infer<typeof agentMetrics>;

const delegation = {
  delegated: count,
  completed: count,
  ended: count,
  efficiency: orNull,
  duration: distribution,
};

/** Answer of `GET /v1/metrics/delegations`. */
export const delegationMetrics = z.object({
  ...span,
  filters: filtered,
  /** All of them; most first, at most 1,000 of each list. */
  delegated: count,
  completed: count,
  ended: count,
  efficiency: orNull,
  edges: z.array(z.object({ from: z.string(), to: z.string(), ...delegation })),
  chains: z.array(z.object({ chain: z.array(z.string()), ...delegation })),
});
export type DelegationMetrics = z.infer<typeof delegationMetrics>;

/** Answer of `GET /v1/metrics/system`. */
export const systemMetrics = z.object({
  asOf: z.string(),
  events: z.object({
    /** Of this process, since it began. */
    ingested: count,
    repeated: count,
    lagSeconds: z.number(),
    /** Of all replicas. */
    poison: count,
  }),
  history: z.object({
    /** `reading` from its beginning, or `following` its end. */
    state: z.enum(['waiting', 'reading', 'following']),
    /** Tasks of which an event is missing. */
    gaps: count,
  }),
  process: z.object({
    uptimeSeconds: z.number(),
    cpuSeconds: z.number(),
    residentBytes: count,
    heapBytes: count,
  }),
  database: z.object({ bytes: count }),
});
export type SystemMetrics = z.infer<typeof systemMetrics>;
