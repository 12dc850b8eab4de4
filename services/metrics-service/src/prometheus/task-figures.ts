import { TASK_STATUSES } from '@baton/contracts';
import type { Logger } from 'pino';
import { Counter, Gauge } from 'prom-client';
import type { TaskFigures, TaskFiguresStore } from './task-figures.store.js';

const CACHED_MS = 1_000;
/** Names come from users: without a bound they would fill the memory of Prometheus. */
const MAX_AGENTS = 100;
const MAX_TYPES = 100;
/** No type of a task can begin like this. */
const OTHER_TYPES = '_other';

const EMPTY: TaskFigures = { states: [], held: [], oldestQueuedSeconds: 0 };

/**
 * Registers the metrics that are read from the database at each scrape: right from the first one after a restart,
 * and the same from every replica. They tell nothing while the database does not answer.
 */
export function registerTaskFigures(store: TaskFiguresStore, logger: Logger): void {
  const read = cached(() =>
    store.read(MAX_AGENTS).catch((error: unknown) => {
      logger.warn({ err: error }, 'could not read the task metrics of a scrape');
      return undefined;
    }),
  );
  const labelOf = boundedLabels();

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
      const { states } = (await read()) ?? EMPTY;
      this.reset();
      for (const { status, type, endings } of states) {
        if (endings > 0) this.inc({ status, type: labelOf(type) }, endings);
      }
    },
  });
  new Gauge({
    name: 'baton_agent_tasks_held',
    help: `Tasks assigned to an agent or in progress, of the ${MAX_AGENTS} agents that hold most; the same from every replica`,
    labelNames: ['agent'],
    async collect() {
      const { held } = (await read()) ?? EMPTY;
      this.reset();
      for (const { agent, tasks } of held) this.set({ agent }, tasks);
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

/** One read serves the metrics of a scrape, and scrapes that follow each other closely. */
function cached<T>(read: () => Promise<T>): () => Promise<T> {
  let latest: Promise<T> | undefined;
  let readAt = -Infinity;
  return () => {
    if (latest === undefined || performance.now() - readAt >= CACHED_MS) {
      readAt = performance.now();
      latest = read();
    }
    return latest;
  };
}

/** The first types seen keep a label of their own, so that no counter ever falls while the process lives. */
function boundedLabels(): (type: string) => string {
  const own = new Set<string>();
  return (type) => {
    if (own.size < MAX_TYPES) own.add(type);
    return own.has(type) ? type : OTHER_TYPES;
  };
}
