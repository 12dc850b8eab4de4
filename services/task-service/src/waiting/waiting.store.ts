import type { Queryable } from '../database/database.js';
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

/** Unfinished children that follow their cancelled parents. */
export function findLiveChildren(db: Queryable, parents: readonly string[], { after, limit }: Page) {
  const text = `SELECT id FROM tasks WHERE parent_task_id = ANY($1::uuid[]) AND id > $2 AND NOT detached
    AND status NOT IN ('completed','failed','cancelled') ORDER BY id LIMIT $3`;
  return ids(db, 'find-live-children', text, [pgArray(parents), after, limit]);
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

/** Unfinished children whose cancelled parent's cascade was lost. */
export function findOrphans(db: Queryable, { after, limit }: Page) {
  const text = `SELECT c.id FROM tasks p JOIN tasks c ON c.parent_task_id = p.id
    WHERE p.status = 'cancelled' AND c.id > $1 AND NOT c.detached
      AND c.status NOT IN ('completed','failed','cancelled') ORDER BY c.id LIMIT $2`;
  return ids(db, 'find-orphans', text, [after, limit]);
}

/**
 * Claims tasks whose `dueAt` has passed by the database's clock: another replica leaves them alone for five seconds,
 * and if this one dies they are due again. The clock is asked in a query of its own: a volatile function is no bound
 * of an index, and the scan would go through all that is due in the future. Bookkeeping only; what is due is decided under the task's lock.
 */
export function claimDue(db: Queryable, limit: number) {
  const text = `UPDATE tasks SET due_at = clock_timestamp() + interval '5 seconds' WHERE id IN (
      SELECT id FROM tasks WHERE due_at <= (SELECT clock_timestamp()) ORDER BY due_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING id`;
  return ids(db, 'claim-due', text, [limit]);
}
