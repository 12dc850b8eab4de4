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
} as const satisfies Readonly<Record<string, Route>>;
