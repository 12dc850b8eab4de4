import type { Client, Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import { moveHistories, moveTasks } from './move.store.js';
import { lockOpenMonths } from './archived.store.js';

/** Tasks looked at by one statement. */
const PAGE = 2_000;

/** Tasks moved by one transaction; a larger tree goes by itself. */
const BATCH = 1_000;

/** What is to be looked at: ids between these, and how old an end must be. Times are milliseconds of the epoch. */
export type Range = { readonly after: string; readonly before: string; readonly endedBefore: number };

export type Page = {
  /** Roots of trees that look as if they could go, in groups for one transaction each. */
  readonly groups: readonly (readonly string[])[];
  /** Where the next page begins; nothing at the end. */
  readonly next: string | undefined;
};

/** The clock of the database, in milliseconds of the epoch. */
export async function readTime(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ now: number }>('SELECT clock_timestamp() AS now');
  return rows[0]?.now ?? Number.NaN;
}

/**
 * The next roots by id whose whole tree has ended long enough ago, as it looks without locks; also those that were
 * deleted, whose trees go without them.
 */
export async function findCandidates(db: Queryable, { after, before, endedBefore }: Range): Promise<Page> {
  const { rows } = await db.query<{ id: string; root: string | null }>({
    name: 'archive-page',
    text: `SELECT id, CASE WHEN completed_at >= to_timestamp($3::float8 / 1000) OR completed_at IS NULL THEN NULL
        WHEN parent_task_id IS NULL OR NOT EXISTS (SELECT FROM tasks r WHERE r.id = t.root_task_id)
        THEN root_task_id END AS root
      FROM tasks t WHERE id > $1 AND id < $2 ORDER BY id LIMIT ${PAGE}`,
    values: [after, before, endedBefore],
  });
  const roots = [...new Set(rows.flatMap(({ root }) => root ?? []))];
  const trees = roots.length === 0 ? new Map() : await sizesOf(db, roots, endedBefore);
  const ended = roots.filter((root) => trees.get(root)?.ended !== false);
  return {
    groups: inGroups(ended, (root) => 1 + (trees.get(root)?.members ?? 0)),
    next: rows.length === PAGE ? rows.at(-1)?.id : undefined,
  };
}

type Tree = { readonly root: string; readonly members: number; readonly ended: boolean };

/** Trees that have more than a root: how many others, and whether all of them ended long enough ago. */
async function sizesOf(
  db: Queryable,
  roots: readonly string[],
  endedBefore: number,
): Promise<ReadonlyMap<string, Tree>> {
  const { rows } = await db.query<Tree>({
    name: 'archive-trees',
    text: `SELECT root_task_id AS root, count(*)::int AS members,
        bool_and(coalesce(completed_at < to_timestamp($2::float8 / 1000), false)) AS ended
      FROM tasks WHERE root_task_id = ANY($1::uuid[]) AND parent_task_id IS NOT NULL GROUP BY 1`,
    values: [pgArray(roots), endedBefore],
  });
  return new Map(rows.map((tree) => [tree.root, tree]));
}

function inGroups(
  roots: readonly string[],
  sizeOf: (root: string) => number,
): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let room = 0;
  for (const root of roots) {
    const size = sizeOf(root);
    const group = groups.at(-1);
    if (group === undefined || size > room) {
      groups.push([root]);
      room = BATCH - size;
    } else {
      group.push(root);
      room -= size;
    }
  }
  return groups;
}

type Locked = { readonly id: string; readonly root: string; readonly ended: boolean };

/**
 * Moves these trees to the archive, those that may go: every member could be locked, all have ended long enough ago,
 * and so has every task elsewhere that depends on one of them. A member that is locked by anybody is not waited for:
 * its tree stays until the next time. Says how many tasks went. Inside an open transaction; nothing in it waits for
 * a lock, so it cannot be part of a deadlock.
 */
export async function archiveTrees(
  db: Client,
  roots: readonly string[],
  { endedBefore, month }: { readonly endedBefore: number; readonly month: string },
): Promise<number> {
  const members = await findMembers(db, roots);
  const { rows: locked } = await db.query<Locked>({
    name: 'archive-lock',
    text: `SELECT id, root_task_id AS root, coalesce(completed_at < to_timestamp($2::float8 / 1000), false) AS ended
      FROM tasks WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED`,
    values: [pgArray([...members.keys()]), endedBefore],
  });
  // Looked at again behind the locks: a member that could be locked then has no new children.
  const now = await findMembers(db, roots);
  const held = new Set(locked.filter(({ ended }) => ended).map(({ id }) => id));
  const staying = new Set([...now].filter(([id]) => !held.has(id)).map(([, root]) => root));
  const whole = locked.filter(({ root }) => !staying.has(root));
  for (const root of await findNeeded(
    db,
    whole.map(({ id }) => id),
    endedBefore,
  ))
    staying.add(root);
  const going = whole.filter(({ root }) => !staying.has(root)).map(({ id }) => id);
  if (going.length > 0) await moveTasks(db, going, { month });
  return going.length;
}

/** The members of these trees that are there now, each with its root. */
async function findMembers(db: Client, roots: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await db.query<{ id: string; root: string }>({
    name: 'archive-members',
    text: `SELECT id, id AS root FROM tasks WHERE id = ANY($1::uuid[])
      UNION ALL SELECT id, root_task_id FROM tasks WHERE root_task_id = ANY($1::uuid[]) AND parent_task_id IS NOT NULL`,
    values: [pgArray(roots)],
  });
  return new Map(rows.map(({ id, root }) => [id, root]));
}

/** The roots of trees on which a task outside depends that has not ended, or not long enough ago. */
async function findNeeded(
  db: Client,
  ids: readonly string[],
  endedBefore: number,
): Promise<readonly string[]> {
  const { rows } = await db.query<{ root: string }>({
    name: 'archive-needed',
    text: `SELECT DISTINCT o.root_task_id AS root FROM task_dependencies d
      JOIN tasks o ON o.id = d.depends_on JOIN tasks t ON t.id = d.task_id
      WHERE d.depends_on = ANY($1::uuid[]) AND t.root_task_id <> o.root_task_id
        AND (t.completed_at IS NULL OR t.completed_at >= to_timestamp($2::float8 / 1000))`,
    values: [pgArray(ids), endedBefore],
  });
  return rows.map(({ root }) => root);
}

/**
 * Takes the turn to archive until the transaction ends, and gives the month that tasks go to; nothing while another
 * replica has it. The month cannot be exported meanwhile.
 */
export async function takeTurn(db: Client): Promise<string | undefined> {
  const { rows } = await db.query<{ taken: boolean; month: string }>({
    name: 'archive-turn',
    text: `SELECT pg_try_advisory_xact_lock(hashtext('task-service archive')) AS taken,
      to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-01') AS month`,
  });
  const [turn] = rows;
  if (turn?.taken !== true) return undefined;
  if ((await lockOpenMonths(db, [turn.month])).length === 1) return turn.month;
  throw new Error(`the archive has no open partition for the month of ${turn.month}; run npm run migrate`);
}

/**
 * Moves the history of tasks that were deleted long enough ago to the archive, where it leaves with its month. Inside an
 * open transaction; says how many went, at most as many as one moves.
 */
export async function archiveDeleted(
  db: Client,
  { endedBefore, month }: { readonly endedBefore: number; readonly month: string },
): Promise<number> {
  const { rows } = await db.query<{ id: string }>({
    name: 'archive-deleted',
    text: `SELECT task_id AS id FROM task_events WHERE event_type = 'task.deleted'
      AND created_at < to_timestamp($1::float8 / 1000) ORDER BY task_id LIMIT ${BATCH}`,
    values: [endedBefore],
  });
  await moveHistories(
    db,
    rows.map(({ id }) => id),
    { month },
  );
  return rows.length;
}
