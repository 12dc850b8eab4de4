import type { Client } from '../database/database.js';
import { ARCHIVED_TABLES, columnsOf, type ArchivedTable } from '../database/archive-tables.js';
import { pgArray } from '../database/pg-array.js';

/** Tasks of one statement: milliseconds each, however large their tree. */
const CHUNK = 1_000;

/** Tables whose rows nobody changes without the lock of their task. */
const GUARDED: ReadonlySet<ArchivedTable> = new Set([
  'tasks',
  'task_events',
  'task_logs',
  'task_artifacts',
  'task_checkpoints',
]);

/** An edge of a task in the archive outlives a delete of what it names, and ends when it comes back. */
const STILL_THERE = `WHERE EXISTS (SELECT FROM tasks t WHERE t.id = moved.depends_on)
  OR EXISTS (SELECT FROM archived_tasks t WHERE t.id = moved.depends_on)`;

/** Where tasks go: into a month of the archive (`YYYY-MM-DD`), or out of the archive, back to the hot tables. */
export type Destination = { readonly month: string } | 'hot';

/**
 * Moves tasks that are locked, with all that goes with them, inside an open transaction. Columns are those of the
 * hot tables at this moment: a migration waits for the locks, so they stay while this runs. Throws when a task was
 * not where it was expected, or when somebody just writes what goes with one (55P03: to be tried again).
 */
export async function moveTasks(db: Client, ids: readonly string[], to: Destination): Promise<void> {
  if (to === 'hot') await lockNeeded(db, ids);
  for (const table of ARCHIVED_TABLES) {
    const moved = await moveRows(db, table, ids, to);
    if (table.table === 'tasks' && moved !== ids.length) {
      throw new Error(`expected to move ${ids.length} locked tasks, moved ${moved}`);
    }
  }
}

/**
 * Locks what archived tasks depend on against removal: whoever removes it just now does not see the edges that come
 * back, and would leave them without an end.
 */
async function lockNeeded(db: Client, ids: readonly string[]): Promise<void> {
  for (const table of ['tasks', 'archived_tasks']) {
    const text = `SELECT FROM ${table} WHERE id IN (
        SELECT depends_on FROM archived_task_dependencies WHERE task_id = ANY($1::uuid[]))
      ORDER BY id FOR KEY SHARE NOWAIT`;
    await db.query({ name: `lock-needed-${table}`, text, values: [pgArray(ids)] });
  }
}

/** Moves the history of tasks that are no more, inside an open transaction. */
export async function moveHistories(db: Client, ids: readonly string[], to: Destination): Promise<void> {
  for (const table of ARCHIVED_TABLES) if (table.table === 'task_events') await moveRows(db, table, ids, to);
}

async function moveRows(
  db: Client,
  { table, task, key }: (typeof ARCHIVED_TABLES)[number],
  ids: readonly string[],
  to: Destination,
): Promise<number> {
  const { rows } = await db.query<{ name: string }>(columnsOf(table));
  const columns = rows.map(({ name }) => name).join(', ');
  const [source, target] = to === 'hot' ? [`archived_${table}`, table] : [table, `archived_${table}`];
  const month = to === 'hot' ? ['', ''] : ['month, ', '$2::date, '];
  const text = `WITH moved AS (DELETE FROM ${source} WHERE ${task} = ANY($1::uuid[]) RETURNING ${columns})
      INSERT INTO ${target} (${month[0]}${columns}) SELECT ${month[1]}${columns} FROM moved
      ${to === 'hot' && table === 'task_dependencies' ? STILL_THERE : ''}`;
  let moved = 0;
  for (let done = 0; done < ids.length; done += CHUNK) {
    const chunk = pgArray(ids.slice(done, done + CHUNK));
    if (to !== 'hot' && !GUARDED.has(table)) {
      const lock = `SELECT FROM ${table} WHERE ${task} = ANY($1::uuid[]) ORDER BY ${key} FOR UPDATE NOWAIT`;
      await db.query(lock, [chunk]);
    }
    const values = [chunk, ...(to === 'hot' ? [] : [to.month])];
    moved += (await db.query(text, values)).rowCount ?? 0;
  }
  return moved;
}
