import {
  agentMetrics,
  agentMetricsQuery,
  agentsMetrics,
  delegationMetrics,
  delegationMetricsQuery,
  systemMetrics,
  taskMetrics,
  taskMetricsQuery,
} from './metrics.js';
import { liveChanges } from './live.js';
import type { Route } from './route.js';
import { agentId } from './words.js';

const read = { method: 'GET', tag: 'Metrics', errors: [] } as const;

/** What metrics-service serves. */
export const METRICS_ROUTES = {
  taskMetrics: {
    ...read,
    path: '/v1/metrics/tasks',
    summary: 'States, rates, times and recovery of tasks',
    query: taskMetricsQuery,
    answers: { 200: taskMetrics },
  },
  agentsMetrics: {
    ...read,
    path: '/v1/metrics/agents',
    summary: 'Figures and utilization of each agent, and how evenly work is spread',
    query: agentMetricsQuery,
    answers: { 200: agentsMetrics },
  },
  agentMetrics: {
    ...read,
    path: '/v1/metrics/agents/{id}',
    summary: 'Figures and utilization of one agent, by type of task',
    description: 'An agent nobody heard of has figures of nothing.',
    params: { id: agentId },
    query: agentMetricsQuery,
    answers: { 200: agentMetrics },
  },
  delegationMetrics: {
    ...read,
    path: '/v1/metrics/delegations',
    summary: 'Hand-overs by edge and by chain',
    query: delegationMetricsQuery,
    answers: { 200: delegationMetrics },
  },
  systemMetrics: {
    ...read,
    path: '/v1/metrics/system',
    summary: 'How metrics-service itself does',
    answers: { 200: systemMetrics },
  },
  liveStream: {
    ...read,
    path: '/v1/stream',
    summary: 'Follows all tasks and agents as server-sent events',
    description:
      'First comes `ready`: what changes from then on is told, so lists read after it miss nothing. `changes` has the latest change of each task and agent (`data` is shown here), at most four times a second and some 500 at a time; what a task goes through meanwhile becomes one change. `reset` comes instead where changes are not known any more: of a client that was away or behind for more than 20,000 tasks, or after the streams were made anew; read the lists again. A comment comes every 15 s. The stream ends after 10 minutes, and where the replica stops: go on with `Last-Event-ID`, at any replica.',
    requestHeaders: ['Last-Event-ID'],
    answers: { 200: liveChanges },
  },
} as const satisfies Readonly<Record<string, Route>>;
