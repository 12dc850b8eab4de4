import { Counter, Gauge, Histogram } from 'prom-client';

/**
 * Decisions taken: `placed`, `no_room` (every capable agent is full, or there is none), `passed_over` (agents with
 * room may not have it).
 */
export const decisionsTotal = new Counter({
  name: 'baton_distribution_decisions_total',
  help: 'Tasks looked at, by what became of them',
  labelNames: ['outcome'] as const,
});

export const decisionSeconds = new Histogram({
  name: 'baton_distribution_decision_seconds',
  help: 'Time to choose an agent for one task',
  buckets: [0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005, 0.025],
});

export const assignConflictsTotal = new Counter({
  name: 'baton_distribution_assign_conflicts_total',
  help: 'Assignments task-service refused, by error code',
  labelNames: ['code'] as const,
});

export const expiriesTotal = new Counter({
  name: 'baton_distribution_expiries_total',
  help: 'Agents expired for silence',
});

export const forgottenTotal = new Counter({
  name: 'baton_distribution_forgotten_total',
  help: 'Tasks taken from agents whose beats left them out',
});

export const agentsGauge = new Gauge({
  name: 'baton_distribution_agents',
  help: 'Agents known, by status',
  labelNames: ['status'] as const,
});

export const waitingClassesGauge = new Gauge({
  name: 'baton_distribution_waiting_classes',
  help: 'Classes of tasks that may have tasks waiting',
});
