import type { Queryable } from '../database/database.js';
import { LIVE_CHILD, UNWATCHED } from '../database/migrations/rare-states.js';
import { pgArray } from '../database/pg-array.js';
import type { Page } from '../write-path/pages.js';

async function ids(
  db: Queryable,
  name: string,
  text: string,
  values: readonly unknown[],
): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>({ name, text, values: [...values] });
  return rows.map(({ id }) => id);
}

/** Tasks that wait for one of these, in pages by dependent. */
export function findDependents(db: Queryable, dependencies: readonly string[], { after, limit }: Page) {
  const text = `SELECT DISTINCT d.task_id AS id FROM task_dependencies d
    JOIN tasks t ON t.id = d.task_id AND t.status = 'blocked'
    WHERE d.depends_on = ANY($1::uuid[]) AND d.task_id > $2 ORDER BY d.task_id LIMIT $3`;
  return ids(db, 'find-dependents', text, [pgArray(dependencies), after, limit]);
}

/**
 * Blocked tasks that end when these did: those behind them along edges that fail or cancel, nearest first. Read only as
 * far as `limit`.
 */
export function findBrokenChain(db: Queryable, causes: readonly string[], limit: number) {
  const ending = `d.policy IN ('fail','cancel') AND t.status = 'blocked' AND t.status_reason = 'dependency'`;
  const text = `WITH RECURSIVE chain(id) AS (
      SELECT d.task_id FROM task_dependencies d JOIN tasks t ON t.id = d.task_id
        WHERE d.depends_on = ANY($1::uuid[]) AND ${ending}
      UNION
      SELECT d.task_id FROM chain JOIN task_dependencies d ON d.depends_on = chain.id JOIN tasks t ON t.id = d.task_id
        WHERE ${ending})
    SELECT id FROM chain LIMIT $2`;
  return ids(db, 'find-broken-chain', text, [pgArray(causes), limit]);
}

/** Those of these tasks that wait for their children. */
export function findWaitingParents(db: Queryable, parents: readonly string[], { after, limit }: Page) {
  const text = `SELECT id FROM tasks WHERE id = ANY($1::uuid[]) AND id > $2
    AND status = 'blocked' AND status_reason = 'children' ORDER BY id LIMIT $3`;
  return ids(db, 'find-waiting-parents', text, [pgArray(parents), after, limit]);
}

/** An unfinished child of a task that was given up. */
export type Orphan = { readonly id: string; readonly parentStatus: 'cancelled' | 'failed' };

/** Unfinished children that follow these cancelled or failed parents. */
export async function findLiveChildren(
  db: Queryable,
  parents: readonly string[],
  { after, limit }: Page,
): Promise<readonly Orphan[]> {
  const { rows } = await db.query<Orphan>({
    name: 'find-live-children',
    text: `SELECT c.id, p.status AS "parentStatus" FROM tasks p JOIN tasks c ON c.parent_task_id = p.id
      WHERE p.id = ANY($1::uuid[]) AND p.status IN ('cancelled','failed') AND c.id > $2
        AND NOT c.detached AND c.status NOT IN ('completed','failed','cancelled')
      ORDER BY c.id LIMIT $3`,
    values: [pgArray(parents), after, limit],
  });
  return rows;
}

/** Tasks blocked for dependencies that hold them back no more, or that end them: an event about one was lost. */
export function findMet(db: Queryable, { after, limit }: Page) {
  const text = `SELECT t.id FROM tasks t WHERE t.status = 'blocked' AND t.status_reason = 'dependency' AND t.id > $1
    AND (NOT EXISTS (SELECT 1 FROM task_dependencies d JOIN tasks o ON o.id = d.depends_on
        WHERE d.task_id = t.id AND o.status <> 'completed'
          AND NOT (d.policy = 'ignore' AND o.status IN ('failed','cancelled')))
      OR EXISTS (SELECT 1 FROM task_dependencies d JOIN tasks o ON o.id = d.depends_on
        WHERE d.task_id = t.id AND d.policy IN ('fail','cancel') AND o.status IN ('failed','cancelled')))
    ORDER BY t.id LIMIT $2`;
  return ids(db, 'find-met', text, [after, limit]);
}

/** Tasks blocked for children of which enough have ended: an event about one was lost. */
export function findMetParents(db: Queryable, { after, limit }: Page) {
  const text = `SELECT t.id FROM tasks t CROSS JOIN LATERAL (
      SELECT count(*) AS children, count(*) FILTER (WHERE c.status IN ('completed','failed','cancelled')) AS over
      FROM tasks c WHERE c.parent_task_id = t.id AND NOT c.detached) c
    WHERE t.status = 'blocked' AND t.status_reason = 'children' AND t.id > $1 AND c.over >=
      CASE WHEN t.awaited_children::text = '"all"' THEN c.children
        ELSE least(c.children, t.awaited_children::text::int) END
    ORDER BY t.id LIMIT $2`;
  return ids(db, 'find-met-parents', text, [after, limit]);
}

/**
 * Unfinished children whose parent's cascade was lost. O(unfinished children): looked for from below, by an index of
 * these alone, and never among the parents that ended, of which there is no end.
 */
export async function findOrphans(db: Queryable, { after, limit }: Page): Promise<readonly Orphan[]> {
  const { rows } = await db.query<Orphan>({
    name: 'find-orphans',
    text: `SELECT * FROM (SELECT id, (SELECT p.status FROM tasks p WHERE p.id = c.parent_task_id) AS "parentStatus"
        FROM tasks c WHERE id > $1 AND ${LIVE_CHILD} ORDER BY id OFFSET 0) o
      WHERE "parentStatus" IN ('cancelled','failed') LIMIT $2`,
    values: [after, limit],
  });
  return rows;
}

/** Tasks with a limit that nobody watches: changed by a replica of an older version, which did not know of it. */
export function findUnwatched(db: Queryable, { after, limit }: Page) {
  const text = `SELECT id FROM tasks WHERE id > $1 AND ${UNWATCHED} ORDER BY id LIMIT $2`;
  return ids(db, 'find-unwatched', text, [after, limit]);
}
/** A task a timer is to look at; `isUnstarted`: its agent took it, and has not begun. */
export type DueTask = { readonly id: string; readonly isUnstarted: boolean };

/**
 * Claims tasks whose `dueAt` has passed by the database's clock: another replica leaves them alone for five seconds,
 * and if this one dies they are due again. The clock is asked in a query of its own: a volatile function is no bound
 * of an index, and the scan would go through all that is due in the future. Bookkeeping only; what is due is decided under the task's lock.
 */
export async function claimDue(db: Queryable, limit: number): Promise<readonly DueTask[]> {
  const text = `UPDATE tasks SET due_at = clock_timestamp() + interval '5 seconds' WHERE id IN (
      SELECT id FROM tasks WHERE due_at <= (SELECT clock_timestamp()) ORDER BY due_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING id, status = 'assigned' AND offer_accepted_at IS NOT NULL AS "isUnstarted"`;
  return (await db.query<DueTask>({ name: 'claim-due', text, values: [limit] })).rows;
}
