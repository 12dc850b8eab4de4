/** One metric of the domain: where the API tells it, and under which name Prometheus gets it, if it does. */
type MetricName = {
  readonly metric: string;
  readonly formula: string;
  /** Paths below `/v1/metrics`, and the field. */
  readonly api: readonly string[];
  readonly prometheus: readonly string[];
};

/** `docs/metrics.md` is made from these. */
export const METRIC_NAMES: readonly MetricName[] = [
  {
    metric: 'Completion rate',
    formula: 'completed / ended (ended = completed + failed + cancelled)',
    api: ['tasks: completionRate, ended'],
    prometheus: ['baton_tasks_ended_total'],
  },
  {
    metric: 'Failure rate',
    formula: 'failed / ended',
    api: ['tasks: failureRate, ended'],
    prometheus: ['baton_tasks_ended_total'],
  },
  {
    metric: 'Times of completed tasks',
    formula:
      'of the last attempt: duration (assigned to completed), run (started to completed), wait (first ready to assigned), end to end (created to completed); mean exact, percentiles within 1 %',
    api: ['tasks: duration, run, wait, endToEnd'],
    prometheus: ['baton_task_seconds_total', 'baton_task_quantile_seconds', 'baton_task_duration_seconds'],
  },
  {
    metric: 'Flow',
    formula: 'times tasks were created, became ready, were assigned, begun',
    api: ['tasks: created, queued, assigned, started, blocked'],
    prometheus: [
      'baton_tasks_created_total',
      'baton_tasks_queued_total',
      'baton_tasks_assigned_total',
      'baton_tasks_started_total',
    ],
  },
  {
    metric: 'Queue depth, backlog, open tasks',
    formula:
      'tasks by present state with the age of the oldest; of each agent those assigned and those in progress',
    api: ['tasks: states, oldestSeconds, backlog', 'agents: pending, active'],
    prometheus: ['baton_tasks', 'baton_backlog_oldest_seconds', 'baton_agent_tasks_held'],
  },
  {
    metric: 'Delegation efficiency',
    formula: 'delegated tasks completed / delegated tasks ended',
    api: ['tasks: delegation', 'delegations: efficiency'],
    prometheus: [
      'baton_tasks_delegated_total',
      'baton_delegated_tasks_completed_total',
      'baton_delegated_tasks_ended_total',
    ],
  },
  {
    metric: 'Delegation patterns',
    formula: 'count, success and percentiles of the duration for each edge and each chain',
    api: ['delegations: edges, chains'],
    prometheus: [],
  },
  {
    metric: 'Agent utilization',
    formula: 'integral of active / maxConcurrent over the time online in the window',
    api: ['agents: utilization, onlineSeconds, maxConcurrent'],
    prometheus: ['baton_agent_utilization'],
  },
  {
    metric: 'Throughput',
    formula: 'completed per hour, of an agent or of all',
    api: ['tasks: throughputPerHour', 'agents: throughputPerHour'],
    prometheus: ['baton_agent_tasks_completed_total'],
  },
  {
    metric: 'Workload distribution',
    formula: "Jain's index, and deviation / mean, of the utilization of agents that were online",
    api: ['agents: distribution'],
    prometheus: ['baton_agents_evenness', 'baton_agents_utilization_variation'],
  },
  {
    metric: 'Recovery',
    formula: 'times work was taken from an agent or given back, by reason',
    api: ['tasks: recovery', 'agents/{id}: recovery'],
    prometheus: ['baton_task_recoveries_total'],
  },
  {
    metric: 'Ingest of metrics-service',
    formula: 'events counted and repeated, age of the oldest event of the latest batch, messages given up',
    api: ['system: events, history'],
    prometheus: [
      'baton_metrics_ingest_events_total',
      'baton_metrics_ingest_repeated_total',
      'baton_metrics_ingest_lag_seconds',
      'baton_metrics_ingest_poison_total',
    ],
  },
];
