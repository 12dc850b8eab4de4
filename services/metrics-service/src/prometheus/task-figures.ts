import { TASK_STATUSES, TERMINAL_STATUSES, type AgentsMetrics, type TaskMetrics } from '@baton/contracts';
import type { Logger } from 'pino';
import { Counter, Gauge } from 'prom-client';
import type { ReportService } from '../reports/report.service.js';
import type { Counter as Counted } from '../rollups/rollup.fold.js';
import { MEASURES, type Measure } from '../rollups/sketch.js';
import { boundedLabels, cached } from './bounded-reads.js';
import type { TaskFiguresStore } from './task-figures.store.js';

/** Names come from users: without a bound they would fill the memory of Prometheus. */
const MAX_AGENTS = 100;
const MAX_TYPES = 100;
/** No type of a task can begin like this. */
const OTHER_TYPES = '_other';

/** What quantiles and utilization are told of. */
const WINDOW = '1h';
const PERCENTILES = [50, 90, 99] as const;

const SUMS = {
  duration: 'duration_us',
  run: 'run_us',
  wait: 'wait_us',
  endToEnd: 'end_to_end_us',
} as const satisfies Record<Measure, Counted>;

/**
 * Registers the metrics that are read from the database at each scrape: right from the first one after a restart, and
 * the same from every replica. They tell nothing while the database does not answer.
 */
export function registerTaskFigures(
  { store, reports }: { readonly store: TaskFiguresStore; readonly reports: ReportService },
  logger: Logger,
): void {
  const orNothing = <T>(read: () => Promise<T>) =>
    cached(() =>
      read().catch((error: unknown) => {
        logger.warn({ err: error }, 'could not read the task metrics of a scrape');
        return undefined;
      }),
    );
  const read = orNothing(() => store.read(MAX_AGENTS));
  const readTasks = orNothing<TaskMetrics>(() =>
    reports.tasks({ window: WINDOW, groupBy: [], percentiles: [...PERCENTILES] }),
  );
  const readAgents = orNothing<AgentsMetrics>(() => reports.agents({ window: WINDOW, percentiles: [] }));
  const labelOf = boundedLabels(MAX_TYPES, OTHER_TYPES);

  new Gauge({
    name: 'baton_tasks',
    help: 'Tasks by their present state; the same from every replica',
    labelNames: ['status'],
    async collect() {
      const figures = await read();
      this.reset();
      if (!figures) return;
      for (const status of TASK_STATUSES) this.set({ status }, 0);
      for (const { status, tasks } of figures.states) this.inc({ status }, tasks);
    },
  });
  new Counter({
    name: 'baton_tasks_ended_total',
    help: 'Ends of tasks; the same from every replica',
    labelNames: ['status', 'type'],
    async collect() {
      const figures = await read();
      this.reset();
      for (const sum of figures?.types ?? []) {
        for (const status of TERMINAL_STATUSES) {
          if (sum[status] > 0) this.inc({ status, type: labelOf(sum.type) }, sum[status]);
        }
      }
    },
  });
  const byType = (name: string, help: string, counted: Counted, scale = 1): void => {
    new Counter({
      name,
      help: `${help}; the same from every replica`,
      labelNames: ['type'],
      async collect() {
        const figures = await read();
        this.reset();
        for (const sum of figures?.types ?? []) this.inc({ type: labelOf(sum.type) }, sum[counted] / scale);
      },
    });
  };
  byType('baton_tasks_created_total', 'Tasks created', 'created');
  byType('baton_tasks_queued_total', 'Times a task became ready', 'queued');
  byType('baton_tasks_assigned_total', 'Times a task was assigned', 'assigned');
  byType('baton_tasks_started_total', 'Times an agent began a task', 'started');
  byType('baton_tasks_delegated_total', 'Times a task was handed on', 'delegated');
  byType('baton_delegated_tasks_ended_total', 'Ends of tasks that were handed on', 'delegated_ended');
  byType(
    'baton_delegated_tasks_completed_total',
    'Completions of tasks that were handed on',
    'delegated_completed',
  );
  new Counter({
    name: 'baton_task_seconds_total',
    help: 'Seconds that completed tasks took, by what is measured; the same from every replica',
    labelNames: ['measure', 'type'],
    async collect() {
      const figures = await read();
      this.reset();
      for (const sum of figures?.types ?? []) {
        for (const measure of MEASURES) {
          this.inc({ measure, type: labelOf(sum.type) }, sum[SUMS[measure]] / 1e6);
        }
      }
    },
  });
  new Gauge({
    name: 'baton_task_quantile_seconds',
    help: 'Seconds that completed tasks of the last hour took, within 1 %; the same from every replica',
    labelNames: ['measure', 'quantile'],
    async collect() {
      const figures = await readTasks();
      this.reset();
      for (const measure of MEASURES) {
        for (const percent of PERCENTILES) {
          const seconds = figures?.[measure][`p${percent}`] ?? Number.NaN;
          this.set({ measure, quantile: String(percent / 100) }, seconds);
        }
      }
    },
  });
  new Counter({
    name: 'baton_task_recoveries_total',
    help: 'Times work was taken from an agent or given back, by reason; the same from every replica',
    labelNames: ['reason'],
    async collect() {
      const figures = await read();
      this.reset();
      for (const { reason, count } of figures?.recoveries ?? []) this.inc({ reason }, count);
    },
  });
  new Gauge({
    name: 'baton_agent_tasks_held',
    help: `Tasks assigned to an agent or in progress, of the ${MAX_AGENTS} agents that hold most; the same from every replica`,
    labelNames: ['agent'],
    async collect() {
      const figures = await read();
      this.reset();
      for (const { agent, tasks } of figures?.held ?? []) this.set({ agent }, tasks);
    },
  });
  new Counter({
    name: 'baton_agent_tasks_completed_total',
    help: `Tasks completed by an agent, of the ${MAX_AGENTS} that completed most; the same from every replica`,
    labelNames: ['agent'],
    async collect() {
      const figures = await read();
      this.reset();
      for (const { agent, completed } of figures?.completed ?? []) this.inc({ agent }, completed);
    },
  });
  new Gauge({
    name: 'baton_agent_utilization',
    help: `Share of its slots an agent worked in while online, in the last hour, of the ${MAX_AGENTS} busiest; the same from every replica`,
    labelNames: ['agent'],
    async collect() {
      const figures = await readAgents();
      this.reset();
      for (const { agentId, utilization } of figures?.agents.slice(0, MAX_AGENTS) ?? []) {
        if (utilization !== null) this.set({ agent: agentId }, utilization);
      }
    },
  });
  new Gauge({
    name: 'baton_agents_evenness',
    help: "Jain's index of the agents' utilization in the last hour: 1 when all are used alike; the same from every replica",
    async collect() {
      this.set((await readAgents())?.distribution.jain ?? Number.NaN);
    },
  });
  new Gauge({
    name: 'baton_agents_utilization_variation',
    help: "Deviation / mean of the agents' utilization in the last hour; the same from every replica",
    async collect() {
      this.set((await readAgents())?.distribution.coefficientOfVariation ?? Number.NaN);
    },
  });
  new Gauge({
    name: 'baton_backlog_oldest_seconds',
    help: 'Seconds since the longest waiting queued task first became ready, 0 without a backlog',
    async collect() {
      this.set((await read())?.oldestQueuedSeconds ?? Number.NaN);
    },
  });
}
