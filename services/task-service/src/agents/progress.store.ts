import type { ProgressCommand, TaskStatus } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';

type SavedProgress = { readonly attempt: number; readonly version: number; readonly status: TaskStatus };

const IS_FURTHER = 'excluded.attempt > p.attempt OR excluded.percent >= p.percent';

/**
 * Keeps the latest progress of tasks this agent is working on, unversioned; within an attempt it never moves back, but
 * every report is a sign of life.
 * Answers the tasks that passed the fence, by id.
 */
export async function saveProgress(
  db: Queryable,
  agentId: string,
  items: readonly ProgressCommand[],
): Promise<ReadonlyMap<string, SavedProgress>> {
  const { rows } = await db.query<SavedProgress & { id: string }>({
    name: 'save-progress',
    text: `WITH fenced AS (
        SELECT DISTINCT ON (t.id) t.id, t.attempt, t.version, t.status, u.percent, u.message
        FROM unnest($2::uuid[], $3::int[], $4::int[], $5::float8[], $6::text[]) WITH ORDINALITY
          AS u(id, attempt, epoch, percent, message, position)
        JOIN tasks t ON t.id = u.id AND t.assigned_to = $1 AND t.status = 'in_progress'
          AND t.attempt = u.attempt AND t.holder_epoch = u.epoch
        ORDER BY t.id, u.percent DESC, u.position DESC),
      saved AS (
        INSERT INTO task_progress AS p (task_id, attempt, percent, message, updated_at)
        SELECT id, attempt, percent, message, clock_timestamp() FROM fenced
        ON CONFLICT (task_id) DO UPDATE SET attempt = excluded.attempt, updated_at = excluded.updated_at,
          percent = CASE WHEN ${IS_FURTHER} THEN excluded.percent ELSE p.percent END,
          message = CASE WHEN ${IS_FURTHER} THEN excluded.message ELSE p.message END
        WHERE excluded.attempt >= p.attempt)
      SELECT id, attempt, version, status FROM fenced`,
    values: [
      agentId,
      pgArray(items.map(({ taskId }) => taskId)),
      pgArray(items.map(({ attempt }) => attempt)),
      pgArray(items.map(({ epoch }) => epoch)),
      pgArray(items.map(({ percent }) => percent)),
      pgArray(items.map(({ message }) => message)),
    ],
  });
  return new Map(rows.map(({ id, ...task }) => [id, task]));
}

/** When the present attempts of these tasks last reported progress (milliseconds); those that did not are left out. */
export async function findProgressTimes(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ id: string; at: number }>({
    name: 'find-progress-times',
    text: `SELECT t.id, p.updated_at AS at FROM tasks t
      JOIN task_progress p ON p.task_id = t.id AND p.attempt = t.attempt WHERE t.id = ANY($1::uuid[])`,
    values: [pgArray(ids)],
  });
  return new Map(rows.map(({ id, at }) => [id, at]));
}
