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

/** Tasks other distributors were asked to place: `placed`, `not_placed`, `unanswered`. */
export const passedOnTotal = new Counter({
  name: 'baton_distribution_passed_on_total',
  help: 'Tasks neighbours were asked to place, by what they answered',
  labelNames: ['outcome'] as const,
});

export const shardsGauge = new Gauge({
  name: 'baton_distribution_shards',
  help: 'Shards of the agents this process owns',
});

export const takeoversTotal = new Counter({
  name: 'baton_distribution_shard_takeovers_total',
  help: 'Shards that became those of this process',
});

export const agentsGauge = new Gauge({
  name: 'baton_distribution_agents',
  help: 'Agents this process decides about, by status',
  labelNames: ['status'] as const,
});

export const waitingClassesGauge = new Gauge({
  name: 'baton_distribution_waiting_classes',
  help: 'Classes of tasks that may have tasks waiting',
});
