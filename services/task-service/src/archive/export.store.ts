import type { Client, Queryable } from '../database/database.js';
import { ARCHIVED_TABLES, partitionName } from '../database/archive-tables.js';
import { pgArray } from '../database/pg-array.js';
import { FIRST_ID } from '../write-path/pages.js';
import { lockOpenMonths } from './archived.store.js';

/** A month of the archive that is to leave the database, given as `YYYY-MM-DD`. */
export type LeavingMonth = {
  readonly month: string;
  readonly state: 'open' | 'exporting' | 'exported';
  readonly written: WrittenExport | null;
};

/** A file with all tasks of a month, as it was written. */
export type WrittenExport = {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly tasks: number;
};

/** Months that ended so many seconds ago, and those whose export was begun, oldest first. */
export async function findLeavingMonths(
  db: Queryable,
  keptSeconds: number,
): Promise<readonly LeavingMonth[]> {
  const { rows } = await db.query<LeavingMonth>({
    name: 'find-leaving-months',
    text: `SELECT month::text, state, CASE WHEN sha256 IS NULL THEN NULL ELSE
        json_build_object('file', file, 'sha256', sha256, 'bytes', bytes, 'tasks', tasks) END AS written
      FROM archive_months WHERE state IN ('exporting','exported')
        OR (state = 'open' AND (month + interval '1 month') AT TIME ZONE 'UTC'
          <= clock_timestamp() - make_interval(secs => $1))
      ORDER BY month`,
    values: [keptSeconds],
  });
  return rows;
}

/** From now on the month can only be read. Waits for the transactions that use it otherwise. */
export async function freezeMonth(db: Queryable, month: string): Promise<void> {
  await db.query({
    name: 'freeze-month',
    text: `UPDATE archive_months SET state = 'exporting', file = NULL, sha256 = NULL, bytes = NULL, tasks = NULL,
        changed_at = clock_timestamp() WHERE month = $1::date AND state IN ('open','exported')`,
    values: [month],
  });
}

/** Tasks looked at by one statement. */
const PAGE = 5_000;

/**
 * The roots of trees in a page of a frozen month on which a task outside the month depends, whether it is hot or
 * archived; and the last id of the page, nothing at the end.
 */
export async function findDependedOn(
  db: Queryable,
  month: string,
  after: string,
): Promise<{ readonly roots: readonly string[]; readonly next: string | undefined }> {
  const { rows } = await db.query<{ id: string; root: string; needed: boolean }>({
    name: 'find-depended-on',
    text: `SELECT id, root_task_id AS root, EXISTS (SELECT FROM task_dependencies d WHERE d.depends_on = a.id)
        OR EXISTS (SELECT FROM archived_task_dependencies d WHERE d.depends_on = a.id AND d.month <> $1::date) AS needed
      FROM archived_tasks a WHERE month = $1::date AND id > $2 ORDER BY id LIMIT ${PAGE}`,
    values: [month, after],
  });
  const roots = new Set(rows.filter(({ needed }) => needed).map(({ root }) => root));
  return { roots: [...roots], next: rows.length === PAGE ? rows.at(-1)?.id : undefined };
}

/** Moves trees on to the month that is archived into now, whole and in this transaction. */
export async function carryOver(db: Client, month: string, roots: readonly string[]): Promise<void> {
  const { rows: months } = await db.query<{ now: string }>(
    `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-01') AS now`,
  );
  const [to] = await lockOpenMonths(
    db,
    months.map(({ now }) => now),
  );
  if (to === undefined)
    throw new Error('the archive has no open partition for this month; run npm run migrate');
  const { rows: members } = await db.query<{ id: string }>(
    `SELECT id FROM archived_tasks WHERE month = $1::date AND root_task_id = ANY($2::uuid[])`,
    [month, pgArray(roots)],
  );
  const ids = pgArray(members.map(({ id }) => id));
  for (const { table, task } of ARCHIVED_TABLES) {
    await db.query(
      `UPDATE archived_${table} SET month = $3::date WHERE month = $1::date AND ${task} = ANY($2::uuid[])`,
      [month, ids, to],
    );
  }
}

/** Tasks of one read: a task may have a megabyte of payload, and as much as four of a log. */
const LINES = 20;

const PARTS = ARCHIVED_TABLES.filter(({ table }) => table !== 'tasks').map(
  ({ table, key }) =>
    `'${table.replace('task_', '')}', array_to_json(ARRAY(SELECT to_json(r) FROM archived_${table} r
      WHERE r.month = $1::date AND r.task_id = t.id ORDER BY ${key}))`,
);

/** All tasks of a frozen month by id, and behind them the deleted ones, each with all its rows as one line of JSON. Throws when one has not ended. */
export async function* readLines(db: Queryable, month: string): AsyncGenerator<string> {
  let after = FIRST_ID;
  for (;;) {
    const { rows } = await db.query<{ id: string; line: string; ended: boolean }>({
      name: 'export-lines',
      text: `SELECT id, completed_at IS NOT NULL AS ended,
          json_build_object('task', to_json(t), ${PARTS.join(', ')})::text AS line
        FROM archived_tasks t WHERE month = $1::date AND id > $2 ORDER BY id LIMIT ${LINES}`,
      values: [month, after],
    });
    for (const { id, line, ended } of rows) {
      if (!ended)
        throw new Error(`task ${id} is archived and has not ended; npm run audit:verify tells more`);
      // Between the values only: inside a string of JSON a line never breaks.
      yield line.replaceAll('\n', ' ');
      after = id;
    }
    if (rows.length < LINES) break;
  }
  yield* readDeleted(db, month);
}

/** The history of each task that was deleted, by id. */
async function* readDeleted(db: Queryable, month: string): AsyncGenerator<string> {
  for (let after: string | undefined = FIRST_ID; after !== undefined;) {
    const { rows }: { rows: { id: string; line: string }[] } = await db.query({
      name: 'export-deleted',
      text: `SELECT task_id AS id, json_build_object('task', NULL, 'events', array_to_json(ARRAY(
            SELECT to_json(r) FROM archived_task_events r WHERE r.month = $1::date AND r.task_id = e.task_id
            ORDER BY version)))::text AS line
        FROM archived_task_events e WHERE month = $1::date AND event_type = 'task.deleted' AND task_id > $2
        ORDER BY task_id LIMIT ${LINES}`,
      values: [month, after],
    });
    for (const { line } of rows) yield line.replaceAll('\n', ' ');
    after = rows.length === LINES ? rows.at(-1)?.id : undefined;
  }
}

/** The file is on disk for good. */
export async function markExported(db: Queryable, month: string, written: WrittenExport): Promise<void> {
  await db.query({
    name: 'mark-exported',
    text: `UPDATE archive_months SET state = 'exported', file = $2, sha256 = $3, bytes = $4, tasks = $5,
        changed_at = clock_timestamp() WHERE month = $1::date AND state = 'exporting'`,
    values: [month, written.file, written.sha256, written.bytes, written.tasks],
  });
}

/**
 * Drops the tables of a month that was exported, inside an open transaction. Readers of the archive wait for it, and
 * it waits a second at most for them.
 */
export async function dropMonth(db: Client, month: string): Promise<void> {
  await db.query(`SELECT set_config('lock_timeout', '1s', true)`);
  const { rowCount } = await db.query(
    `UPDATE archive_months SET state = 'dropped', changed_at = clock_timestamp()
      WHERE month = $1::date AND state = 'exported'`,
    [month],
  );
  if (rowCount !== 1) throw new Error(`the month of ${month} was not exported`);
  // A month from before a migration that brought a table has no partition of it.
  await db.query(
    `DROP TABLE IF EXISTS ${ARCHIVED_TABLES.map(({ table }) => partitionName(table, month)).join(', ')}`,
  );
}

/** Takes the turn to export until the connection ends; false while another replica has it. */
export async function takeExportTurn(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ taken: boolean }>(
    `SELECT pg_try_advisory_lock(hashtext('task-service export')) AS taken`,
  );
  return rows[0]?.taken ?? false;
}

/** How many months of the archive are in each state. */
export async function countMonths(db: Queryable): Promise<readonly { state: string; months: number }[]> {
  const { rows } = await db.query<{ state: string; months: number }>(
    'SELECT state, count(*)::int AS months FROM archive_months GROUP BY 1',
  );
  return rows;
}
