import type { DataSource } from 'typeorm';

/** What a scrape shows of all tasks. */
export type TaskFigures = {
  readonly states: readonly {
    readonly status: string;
    readonly type: string;
    readonly tasks: number;
    readonly endings: number;
  }[];
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
    const [states, held, [backlog]] = await Promise.all([
      this.#dataSource.query(STATES),
      this.#dataSource.query(HELD, [maxAgents]),
      this.#dataSource.query(OLDEST_QUEUED),
    ]);
    return { states, held, oldestQueuedSeconds: backlog.seconds };
  }
}

const STATES = `
SELECT status, type, sum(tasks)::bigint AS tasks, sum(endings)::bigint AS endings
FROM metrics.totals WHERE status <> 'deleted' GROUP BY status, type ORDER BY endings DESC, type`;

const HELD = `
SELECT agent, sum(tasks)::bigint AS tasks FROM metrics.totals
WHERE status IN ('assigned', 'in_progress') GROUP BY agent HAVING sum(tasks) > 0 ORDER BY tasks DESC, agent LIMIT $1`;

const OLDEST_QUEUED = `
SELECT coalesce(greatest(extract(epoch FROM now() - min(first_queued_at)), 0), 0)::float8 AS seconds
FROM metrics.tasks WHERE status = 'queued'`;
