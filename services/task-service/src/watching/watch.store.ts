import type { TaskStatus } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { findTask } from '../tasks/task.reader.store.js';

/** Where a task is. */
export type Standing = { readonly status: TaskStatus; readonly version: number };

/** Asked at every sign of a change of a task that is watched: one row by its key, without its payload. */
export async function findStanding(db: Queryable, id: string): Promise<Standing | undefined> {
  const { rows } = await db.query<Standing>({
    name: 'find-standing',
    text: 'SELECT status, version FROM tasks WHERE id = $1',
    values: [id],
  });
  // In the archive, or nowhere.
  return rows[0] ?? (await findTask(db, id));
}
