import type { DataSource } from 'typeorm';
import { toDomainError } from '../database/database-error.js';
import type { TaskState } from './task-state.fold.js';

/** The latest state of each task, and the totals that follow from it. */
export class IngestStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /**
   * Saves states, one per task, in one transaction: a version that is not newer than the known one changes nothing,
   * so repeated, late and reordered events leave every figure as it is. The totals move by the difference of the old
   * and the new row in the same statement, so that no reader ever counts tasks. Answers the seconds from assignment
   * to end of each task that was newly completed. Throws as `toDomainError` says.
   */
  async saveStates(states: readonly TaskState[]): Promise<readonly number[]> {
    try {
      return await this.#dataSource.transaction(async (manager) => {
        // One flush at a time over all replicas: the statement compares with rows as they were when it began, and
        // two that met would lock the hot totals in opposite orders. Taken in a statement of its own, so that the
        // next one sees what the holder before it committed.
        await manager.query(`SELECT pg_advisory_xact_lock(hashtext('metrics-service flush'))`);
        const rows: readonly { seconds: number }[] = await manager.query(SAVE, columnsOf(states));
        return rows.map((row) => row.seconds);
      });
    } catch (error) {
      throw toDomainError(error);
    }
  }

  /** Records a message that will never be ingested. */
  async savePoison(poison: Poison): Promise<void> {
    await this.#dataSource.query(
      `INSERT INTO metrics.poison (stream, seq, subject, deliveries, reason, payload) VALUES ($1, $2, $3, $4, $5, $6)`,
      [poison.stream, poison.seq, poison.subject, poison.deliveryCount, poison.reason, poison.payload],
    );
  }
}

/** A message that was given up, with the beginning of what it said. */
export type Poison = {
  readonly stream: string;
  readonly seq: number;
  readonly subject: string;
  readonly deliveryCount: number;
  readonly reason: string;
  readonly payload: string;
};

const SAVE = `
WITH incoming AS (
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::int[],
    $8::int[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[])
    AS row (task_id, version, status, type, priority, agent, retries, losses, created_at, first_queued_at,
      assigned_at, started_at, ended_at)
), old AS (
  SELECT task.* FROM incoming JOIN metrics.tasks AS task USING (task_id)
), saved AS (
  INSERT INTO metrics.tasks AS task (task_id, version, status, type, priority, agent, retries, losses, created_at,
    first_queued_at, assigned_at, started_at, ended_at)
  SELECT * FROM incoming
  ON CONFLICT (task_id) DO UPDATE SET version = excluded.version, status = excluded.status, type = excluded.type,
    priority = excluded.priority, agent = excluded.agent, retries = excluded.retries, losses = excluded.losses,
    created_at = excluded.created_at, first_queued_at = excluded.first_queued_at,
    assigned_at = excluded.assigned_at, started_at = excluded.started_at, ended_at = excluded.ended_at
  WHERE task.version < excluded.version
  RETURNING task.*
), moved AS (
  SELECT 1 AS sign, (saved.ended_at IS NOT NULL AND old.ended_at IS DISTINCT FROM saved.ended_at)::int AS endings,
    saved.*
  FROM saved LEFT JOIN old USING (task_id)
  UNION ALL
  SELECT -1, 0, old.* FROM old JOIN saved USING (task_id)
), counted AS (
  INSERT INTO metrics.totals AS total (status, type, priority, agent, tasks, endings, retries, losses,
    duration_us, run_us, wait_us, end_to_end_us)
  SELECT status, type, priority, agent, sum(sign), sum(endings), sum(sign * retries), sum(sign * losses),
    coalesce(sum(sign * metrics.microseconds(assigned_at, ended_at)) FILTER (WHERE status = 'completed'), 0),
    coalesce(sum(sign * metrics.microseconds(started_at, ended_at)) FILTER (WHERE status = 'completed'), 0),
    coalesce(sum(sign * metrics.microseconds(first_queued_at, assigned_at)) FILTER (WHERE status = 'completed'), 0),
    coalesce(sum(sign * metrics.microseconds(created_at, ended_at)) FILTER (WHERE status = 'completed'), 0)
  FROM moved GROUP BY status, type, priority, agent
  ON CONFLICT (status, type, priority, agent) DO UPDATE SET tasks = total.tasks + excluded.tasks,
    endings = total.endings + excluded.endings, retries = total.retries + excluded.retries,
    losses = total.losses + excluded.losses, duration_us = total.duration_us + excluded.duration_us,
    run_us = total.run_us + excluded.run_us, wait_us = total.wait_us + excluded.wait_us,
    end_to_end_us = total.end_to_end_us + excluded.end_to_end_us
)
SELECT extract(epoch FROM ended_at - assigned_at)::float8 AS seconds
FROM moved WHERE endings = 1 AND status = 'completed' AND assigned_at IS NOT NULL`;

/** One array per column: the statement has the same parameters whatever the number of rows. */
function columnsOf(states: readonly TaskState[]): unknown[][] {
  const names = [
    'taskId',
    'version',
    'status',
    'type',
    'priority',
    'agent',
    'retries',
    'losses',
    'createdAt',
    'firstQueuedAt',
    'assignedAt',
    'startedAt',
    'endedAt',
  ] as const satisfies readonly (keyof TaskState)[];
  return names.map((name) => states.map((state) => state[name]));
}
