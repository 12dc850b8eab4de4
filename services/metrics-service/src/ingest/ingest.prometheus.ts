import { Counter, Gauge, Histogram } from 'prom-client';

/** What one process saw while it ingested; starts at zero with the process, as Prometheus expects of counters. */
export const ingestMetrics = {
  events: new Counter({
    name: 'baton_metrics_ingest_events_total',
    help: 'Task events whose effect is committed, repetitions included',
  }),
  repeated: new Counter({
    name: 'baton_metrics_ingest_repeated_total',
    help: 'Task events that came again and changed nothing',
  }),
  flushSeconds: new Histogram({
    name: 'baton_metrics_ingest_flush_seconds',
    help: 'Seconds to save one batch of events; the count is the number of batches',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  }),
  poison: new Counter({
    name: 'baton_metrics_ingest_poison_total',
    help: 'Messages given up because they can never be ingested',
  }),
  lagSeconds: new Gauge({
    name: 'baton_metrics_ingest_lag_seconds',
    help: 'Age of the oldest event of the latest batch when it was committed',
  }),
  taskDurationSeconds: new Histogram({
    name: 'baton_task_duration_seconds',
    help: 'Seconds from assignment to completion of the last attempt, of tasks this process saw complete',
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400],
  }),
} as const;
