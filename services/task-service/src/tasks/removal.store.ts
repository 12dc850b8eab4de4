import type { Queryable } from '../database/database.js';
import { parameters, type Part } from '../database/parts.js';
import { pgArray } from '../database/pg-array.js';

/** Why a task cannot go. */
type Hindrance = {
  readonly hasDependents: boolean;
  readonly hasChildren: boolean;
  readonly isAwaited: boolean;
};

const UNFINISHED = `status NOT IN ('completed','failed','cancelled')`;

/**
 * Locks tasks that are locked already against being named by others too, and tells of each that may not go why not.
 * Waits for nobody, or two could wait for each other: whoever holds a task against its removal now is about to depend
 * on it, or waits for it.
 */
export async function lockForRemoval(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows: free } = await db.query<{ id: string }>({
    name: 'lock-for-removal',
    text: 'SELECT id FROM tasks WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED',
    values: [pgArray(ids)],
  });
  const { rows } = await db.query<Hindrance & { id: string }>({
    name: 'find-hindrances',
    text: `SELECT u.id,
        EXISTS (SELECT FROM task_dependencies d JOIN tasks t ON t.id = d.task_id AND t.${UNFINISHED}
          WHERE d.depends_on = u.id) AS "hasDependents",
        EXISTS (SELECT FROM tasks c WHERE c.parent_task_id = u.id AND c.${UNFINISHED}) AS "hasChildren",
        EXISTS (SELECT FROM tasks t JOIN tasks p ON p.id = t.parent_task_id AND p.status = 'blocked'
          AND p.status_reason = 'children' WHERE t.id = u.id) AS "isAwaited"
      FROM unnest($1::uuid[]) AS u(id)`,
    values: [pgArray(ids)],
  });
  const hindered = new Map(ids.map((id) => [id, 'a task that is just being written waits for it']));
  for (const { id } of free) hindered.delete(id);
  for (const { id, ...hindrance } of rows) {
    const why = reasonOf(hindrance);
    if (why !== undefined) hindered.set(id, why);
  }
  return hindered;
}

function reasonOf({ hasDependents, hasChildren, isAwaited }: Hindrance): string | undefined {
  if (hasDependents) return 'tasks that have not ended depend on it';
  if (hasChildren) return 'it has children that have not ended';
  return isAwaited ? 'its parent waits for it' : undefined;
}

/** What goes with a task; its history stays. */
const TABLES = [
  ['gone_tasks', 'tasks', 'id'],
  ['gone_edges', 'task_dependencies', 'task_id'],
  ['gone_links', 'task_dependencies', 'depends_on'],
  ['gone_progress', 'task_progress', 'task_id'],
  ['gone_usage', 'task_usage', 'task_id'],
] as const;

/**
 * Locks the edges that go with tasks, in one order: two removals that meet at edges of each other's tasks would
 * otherwise take them in the order of their plans.
 */
export async function lockEdges(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    name: 'lock-edges',
    text: `SELECT FROM task_dependencies WHERE task_id = ANY($1::uuid[]) OR depends_on = ANY($1::uuid[])
      ORDER BY task_id, depends_on FOR UPDATE`,
    values: [pgArray(ids)],
  });
}

export function removeTasks(ids: readonly string[]): readonly Part[] {
  return TABLES.map(([key, table, column]) => ({
    key,
    sql: (first) => `DELETE FROM ${table} WHERE ${column} IN (SELECT unnest(${parameters(['uuid'], first)}))`,
    values: [pgArray(ids)],
  }));
}
