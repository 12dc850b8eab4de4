import { isTerminal, type TaskStatus } from '@baton/contracts';
import type { DataSource, EntityManager } from 'typeorm';
import { toDomainError } from '../database/database-error.js';
import type { Figures, Group, Percentiles } from './report.fold.js';
import { WINDOW_SECONDS, type ReportQuery } from './report.query.js';

/**
 * Percentiles are taken over so many of the latest completed tasks of the window: their sorts take 0.15 s, those of a
 * million would take 2 s. Counts and means are exact; they cost 0.5 s per million tasks that ended in the window.
 */
const PERCENTILE_TASKS = 100_000;

/** Reads the figures of reports. */
export class ReportStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** All as of one moment. Throws `UNAVAILABLE` when the database does not answer in time. */
  async readFigures(query: ReportQuery): Promise<Figures> {
    try {
      return await this.#dataSource.transaction('REPEATABLE READ', (manager) => readFigures(manager, query));
    } catch (error) {
      throw toDomainError(error);
    }
  }
}

async function readFigures(manager: EntityManager, query: ReportQuery): Promise<Figures> {
  const window = WINDOW_SECONDS[query.window];
  const filters = [query.agent ?? null, query.type ?? null, query.priority ?? null];
  const [clock]: [Clock] = await manager.query(CLOCK, filters);
  const present: readonly Group[] = await manager.query(PRESENT, filters);
  return {
    present,
    ended:
      window === null
        ? present.filter((group) => isTerminal(group.status as TaskStatus))
        : await manager.query(ENDED, [...filters, window]),
    ...(await readPercentiles(manager, [...filters, window])),
    oldestQueuedSeconds: clock.oldestQueuedSeconds,
    windowSeconds: window ?? clock.lifeSeconds,
    asOf: clock.asOf.toISOString(),
  };
}

/** Parameters that are null filter nothing. */
const FILTERED = `($1::text IS NULL OR agent = $1) AND ($2::text IS NULL OR type = $2)
  AND ($3::smallint IS NULL OR priority = $3)`;
/** Inside a transaction now() stands still, so every statement sees the same window. */
const IN_WINDOW = `ended_at IS NOT NULL AND ($4::float8 IS NULL OR ended_at >= now() - make_interval(secs => $4))`;

type Clock = {
  readonly asOf: Date;
  readonly oldestQueuedSeconds: number | null;
  /** Since the first task that ended was created. */
  readonly lifeSeconds: number;
};

const CLOCK = `
SELECT now() AS "asOf",
  (SELECT extract(epoch FROM now() - min(first_queued_at)) FROM metrics.tasks
    WHERE status = 'queued' AND ${FILTERED})::float8 AS "oldestQueuedSeconds",
  coalesce((SELECT extract(epoch FROM now() - created_at) FROM metrics.tasks
    WHERE ended_at IS NOT NULL ORDER BY ended_at LIMIT 1), 0)::float8 AS "lifeSeconds"`;

const PRESENT = `
SELECT status, agent, sum(tasks)::bigint AS tasks, sum(retries)::bigint AS retries, sum(losses)::bigint AS losses,
  sum(duration_us)::bigint AS "durationUs", sum(run_us)::bigint AS "runUs", sum(wait_us)::bigint AS "waitUs",
  sum(end_to_end_us)::bigint AS "endToEndUs"
FROM metrics.totals WHERE ${FILTERED} GROUP BY status, agent`;

const sumOfCompleted = (since: string, until: string) =>
  `coalesce(sum(metrics.microseconds(${since}, ${until})) FILTER (WHERE status = 'completed'), 0)::bigint`;

const ENDED = `
SELECT status, agent, count(*) AS tasks, sum(retries) AS retries, sum(losses) AS losses,
  ${sumOfCompleted('assigned_at', 'ended_at')} AS "durationUs",
  ${sumOfCompleted('started_at', 'ended_at')} AS "runUs",
  ${sumOfCompleted('first_queued_at', 'assigned_at')} AS "waitUs",
  ${sumOfCompleted('created_at', 'ended_at')} AS "endToEndUs"
FROM metrics.tasks WHERE ${IN_WINDOW} AND ${FILTERED} GROUP BY status, agent`;

async function readPercentiles(
  manager: EntityManager,
  parameters: readonly unknown[],
): Promise<Pick<Figures, 'percentiles' | 'percentilesOf'>> {
  const [row] = await manager.query(PERCENTILES, [...parameters, PERCENTILE_TASKS]);
  return {
    percentiles: {
      duration: toPercentiles(row.duration),
      run: toPercentiles(row.run),
      wait: toPercentiles(row.wait),
      endToEnd: toPercentiles(row.endToEnd),
    },
    percentilesOf: row.tasks,
  };
}

const percentiles = (since: string, until: string) =>
  `percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM ${until} - ${since})::float8)`;

const PERCENTILES = `
SELECT count(*) AS tasks, ${percentiles('assigned_at', 'ended_at')} AS duration,
  ${percentiles('started_at', 'ended_at')} AS run, ${percentiles('first_queued_at', 'assigned_at')} AS wait,
  ${percentiles('created_at', 'ended_at')} AS "endToEnd"
FROM (
  SELECT * FROM metrics.tasks WHERE status = 'completed' AND ${IN_WINDOW} AND ${FILTERED}
  ORDER BY ended_at DESC LIMIT $5
) AS latest`;

function toPercentiles(values: readonly (number | null)[] | null): Percentiles {
  const [p50 = null, p90 = null, p99 = null] = values ?? [];
  return { p50, p90, p99 };
}
