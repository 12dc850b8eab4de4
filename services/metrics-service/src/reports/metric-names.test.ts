import { describe, expect, it } from '@jest/globals';
import { agentMetrics, agentsMetrics, delegationMetrics, systemMetrics, taskMetrics } from '@baton/contracts';
import { pino } from 'pino';
import { register } from 'prom-client';
import type { DataSource } from 'typeorm';
import { ingestMetrics } from '../ingest/ingest.prometheus.js';
import { registerTaskFigures } from '../prometheus/task-figures.js';
import { TaskFiguresStore } from '../prometheus/task-figures.store.js';
import { METRIC_NAMES } from './metric-names.js';
import { ReportService } from './report.service.js';
import { ReportStore } from './report.store.js';

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  tasks: Object.keys(taskMetrics.shape),
  agents: [...Object.keys(agentsMetrics.shape), ...Object.keys(agentsMetrics.shape.agents.element.shape)],
  'agents/{id}': Object.keys(agentMetrics.shape),
  delegations: Object.keys(delegationMetrics.shape),
  system: Object.keys(systemMetrics.shape),
};

describe('the names of metrics', () => {
  it('are those that Prometheus gets', () => {
    expect(Object.keys(ingestMetrics)).toContain('events');
    const never = {} as DataSource;
    const reports = new ReportService(new ReportStore(never));
    registerTaskFigures({ store: new TaskFiguresStore(never), reports }, pino({ level: 'silent' }));
    const exposed = register.getMetricsAsArray().map(({ name }) => name);
    const told = METRIC_NAMES.flatMap(({ prometheus }) => prometheus);
    expect(told.filter((name) => !exposed.includes(name))).toEqual([]);
    const unnamed = exposed.filter((name) => name.startsWith('baton_') && !told.includes(name));
    expect(unnamed).toEqual(['baton_metrics_ingest_flush_seconds']);
  });

  it('are those of the API', () => {
    const told = METRIC_NAMES.flatMap(({ api }) => api).flatMap((place) => {
      const [path = '', fields = ''] = place.split(': ');
      return fields.split(', ').map((field) => ({ path, field }));
    });
    expect(told.filter(({ path, field }) => !FIELDS[path]?.includes(field))).toEqual([]);
  });
});
