import type { DataSource } from 'typeorm';
import { COUNTERS, DIMENSIONS, type Counter } from '../rollups/rollup.fold.js';

/** What a scrape shows of all tasks. */
export type TaskFigures = {
  readonly states: readonly { readonly status: string; readonly tasks: number }[];
  /** All there ever was, by type. */
  readonly types: readonly (Readonly<Record<Counter, number>> & { readonly type: string })[];
  readonly recoveries: readonly { readonly reason: string; readonly count: number }[];
  /** Those that completed most, at most `maxAgents`. */
  readonly completed: readonly { readonly agent: string; readonly completed: number }[];
  /** The agents that hold most, at most `maxAgents`. */
  readonly held: readonly { readonly agent: string; readonly tasks: number }[];
  readonly oldestQueuedSeconds: number;
};

/** Reads what a scrape shows. */
export class TaskFiguresStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** Touches no row per task, so a scrape costs the same whatever the number of tasks. */
  async read(maxAgents: number): Promise<TaskFigures> {
    const [states, types, recoveries, completed, held, [backlog]] = await Promise.all([
      this.#dataSource.query(STATES),
      this.#dataSource.query(TYPES),
      this.#dataSource.query(RECOVERIES),
      this.#dataSource.query(COMPLETED, [maxAgents]),
      this.#dataSource.query(HELD, [maxAgents]),
      this.#dataSource.query(OLDEST_QUEUED),
    ]);
    return { states, types, recoveries, completed, held, oldestQueuedSeconds: backlog.seconds };
  }
}

const STATES = `
SELECT status, sum(tasks)::bigint AS tasks FROM metrics.totals WHERE status <> 'deleted' GROUP BY status`;

const allTime = (dimension: keyof typeof DIMENSIONS): string =>
  `FROM metrics.rollups WHERE level = 0 AND dimensions = ${DIMENSIONS[dimension]} AND at = 0`;

const TYPES = `SELECT type, ${COUNTERS.join(', ')} ${allTime('type')} ORDER BY created DESC, type`;

const COMPLETED = `SELECT agent, completed ${allTime('agent')} AND agent <> '' ORDER BY completed DESC, agent LIMIT $1`;

const RECOVERIES = `
SELECT reason, sum(count)::bigint AS count FROM metrics.recoveries WHERE level = 0 GROUP BY reason ORDER BY reason`;

const HELD = `
SELECT agent, sum(tasks)::bigint AS tasks FROM metrics.totals
WHERE status IN ('assigned', 'in_progress') GROUP BY agent HAVING sum(tasks) > 0 ORDER BY tasks DESC, agent LIMIT $1`;

const OLDEST_QUEUED = `
SELECT coalesce(greatest(extract(epoch FROM now() - min(first_queued_at)), 0), 0)::float8 AS seconds
FROM metrics.tasks WHERE status = 'queued'`;
