import type { TaskLogLine } from '@baton/contracts';
import { everywhere } from '../database/archive-tables.js';
import type { Queryable } from '../database/database.js';

type Line = Omit<TaskLogLine, 'at'> & { readonly at: number };

const COLUMNS = ['task_id', 'number', 'attempt', 'level', 'message', 'at'];

/** The lines of a task's log in order, behind `after`, wherever the task is. O(page). */
export async function findLines(
  db: Queryable,
  id: string,
  after: number,
  limit: number,
): Promise<readonly Line[]> {
  const { rows } = await db.query<Line>({
    name: 'find-log-lines',
    text: `SELECT number, attempt, level, message, at FROM ${everywhere('task_logs', COLUMNS)} l
      WHERE task_id = $1 AND number > $2 ORDER BY number LIMIT $3`,
    values: [id, after, limit],
  });
  return rows;
}
