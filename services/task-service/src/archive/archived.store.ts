import type { TaskStatus } from '@baton/contracts';
import type { Client, Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import type { ExistingDependency } from '../tasks/create.decide.js';
import { STATE_COLUMNS } from '../tasks/task.columns.js';
import { rowToTask, type TaskRow } from '../tasks/task.row.js';
import { RELATED, type LockedTask } from '../tasks/task.store.js';
import { moveTasks } from './move.store.js';

/** An archived task, as it is read without a lock: its status stays as long as it is there. */
export type ArchivedTask = {
  readonly id: string;
  readonly status: TaskStatus;
  readonly root: string;
  readonly month: string;
};

/** Those of these tasks that are archived. One indexed read. */
export async function findArchived(db: Client, ids: readonly string[]): Promise<readonly ArchivedTask[]> {
  const { rows } = await db.query<ArchivedTask>({
    name: 'find-archived',
    text: `SELECT id, status, root_task_id AS root, month::text FROM archived_tasks WHERE id = ANY($1::uuid[])`,
    values: [pgArray(ids)],
  });
  return rows;
}

/**
 * Moves the whole trees of these archived tasks back to the hot tables, inside the transaction that is about to change
 * them and before it locks any task. Trees of a month that is being exported stay: from then on they can only be read.
 * Waits for nobody: who depends on an archived task locks it behind hot ones, in whose turn this transaction comes
 * next. Where another has a lock the statement fails (55P03), and the transaction is tried again.
 */
export async function restoreTrees(db: Client, found: readonly ArchivedTask[]): Promise<void> {
  if (found.length === 0) return;
  const open = new Set(
    await lockOpenMonths(
      db,
      found.map(({ month }) => month),
    ),
  );
  const roots = found.filter(({ month }) => open.has(month)).map(({ root }) => root);
  const { rows: members } = await db.query<{ id: string }>({
    name: 'restore-lock',
    text: `SELECT id FROM archived_tasks WHERE root_task_id = ANY($1::uuid[]) AND month = ANY($2::date[])
      ORDER BY id FOR UPDATE NOWAIT`,
    values: [pgArray(roots), pgArray([...open])],
  });
  if (members.length > 0)
    await moveTasks(
      db,
      members.map(({ id }) => id),
      'hot',
    );
}

/**
 * Keeps these months of the archive from being exported until the transaction ends; says which were open. Fails where
 * one is just being frozen: to wait for it could be to wait in a cycle.
 */
export async function lockOpenMonths(db: Client, months: readonly string[]): Promise<readonly string[]> {
  const { rows } = await db.query<{ month: string }>({
    name: 'lock-open-months',
    text: `SELECT month::text FROM archive_months WHERE month = ANY($1::date[]) AND state = 'open'
      ORDER BY month FOR SHARE NOWAIT`,
    values: [pgArray(months)],
  });
  return rows.map(({ month }) => month);
}

/** Those of these tasks that are archived, for a refusal or an answer: nothing is decided by them but that. */
export async function readArchived(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LockedTask>> {
  const { rows } = await db.query<TaskRow>({
    name: 'read-archived',
    text: `SELECT ${STATE_COLUMNS.join(', ')} FROM archived_tasks WHERE id = ANY($1::uuid[])`,
    values: [pgArray(ids)],
  });
  return new Map(
    rows.map((row) => [row.id, { task: rowToTask(row), liveEpoch: null, heartbeatMs: null, archived: true }]),
  );
}

/**
 * Those of these tasks that are archived, locked against removal, and their months against being exported: what
 * something hot depends on is kept then. Of a month that is being exported already they are told as `leaving`. Fails
 * where one is just being moved: whoever moves it waits for hot tasks next, and this transaction may have them.
 */
export async function lockArchived(
  db: Client,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ExistingDependency>> {
  const { rows: found } = await db.query<{ month: string }>({
    name: 'find-archived-months',
    text: 'SELECT DISTINCT month::text FROM archived_tasks WHERE id = ANY($1::uuid[])',
    values: [pgArray(ids)],
  });
  if (found.length === 0) return new Map();
  const open = await lockOpenMonths(
    db,
    found.map(({ month }) => month),
  );
  const { rows } = await db.query<ExistingDependency & { leaving: boolean }>({
    name: 'lock-archived',
    text: `SELECT ${RELATED}, month <> ALL($2::date[]) AS leaving FROM archived_tasks WHERE id = ANY($1::uuid[])
      ORDER BY id FOR KEY SHARE NOWAIT`,
    values: [pgArray(ids), pgArray(open)],
  });
  return new Map(rows.map((row) => [row.id, row]));
}
