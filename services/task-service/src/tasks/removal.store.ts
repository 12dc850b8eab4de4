import type { Queryable } from '../database/database.js';
import { parameters, type Part } from '../database/parts.js';
import { pgArray } from '../database/pg-array.js';

/** Why a task cannot go. */
type Hindrance = {
  readonly hasDependents: boolean;
  readonly hasChildren: boolean;
  readonly isAwaited: boolean;
  readonly hasTree: boolean;
  readonly hasBudget: boolean;
};

const UNFINISHED = `status NOT IN ('completed','failed','cancelled')`;

/**
 * Locks tasks that are locked already against being named by others too, and tells of each that may not go why not.
 * Waits for nobody, or two could wait for each other: whoever holds a task against its removal now is about to depend
 * on it, or waits for it. A root stays while anything of its tree has not ended, and one with a budget while anything
 * of its tree is there: it could be reopened, and would have no limit. O(tree) for a root.
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
          AND p.status_reason = 'children' WHERE t.id = u.id) AS "isAwaited",
        EXISTS (SELECT FROM tasks m WHERE m.root_task_id = u.id AND m.parent_task_id IS NOT NULL
          AND m.${UNFINISHED}) AS "hasTree",
        EXISTS (SELECT FROM tasks r JOIN tasks m ON m.root_task_id = r.id AND m.parent_task_id IS NOT NULL
          WHERE r.id = u.id AND r.budget IS NOT NULL) AS "hasBudget"
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

function reasonOf(hindrance: Hindrance): string | undefined {
  if (hindrance.hasDependents) return 'tasks that have not ended depend on it';
  if (hindrance.hasChildren) return 'it has children that have not ended';
  if (hindrance.hasTree) return 'tasks further down its tree have not ended';
  if (hindrance.hasBudget) return 'its budget is that of its whole tree; delete the tasks below it first';
  return hindrance.isAwaited ? 'its parent waits for it' : undefined;
}

/** What goes with a task; its history stays. */
const TABLES = [
  ['gone', 'tasks', 'id'],
  ['edges', 'task_dependencies', 'task_id'],
  ['links', 'task_dependencies', 'depends_on'],
  ['progress', 'task_progress', 'task_id'],
  ['usage', 'task_usage', 'task_id'],
  ['logs', 'task_logs', 'task_id'],
  ['files', 'task_artifacts', 'task_id'],
  ['saved', 'task_checkpoints', 'task_id'],
  ['tally', 'deleted_usage', 'task_id'],
] as const;

/**
 * Adds what these tasks used to what the deleted tasks of their trees used, where the tree has a budget: a delete gives
 * nothing of it back. In order of the trees, and after all other locks.
 */
export async function keepSpending(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    name: 'keep-spending',
    text: `INSERT INTO deleted_usage AS d (task_id, tasks, tokens, cost_usd)
      SELECT t.root_task_id, count(DISTINCT t.id), coalesce(sum(u.input_tokens + u.output_tokens), 0),
        coalesce(sum(u.cost_usd), 0)
      FROM tasks t JOIN tasks r ON r.id = t.root_task_id AND r.budget IS NOT NULL
      LEFT JOIN task_usage u ON u.task_id = t.id
      WHERE t.id = ANY($1::uuid[]) AND t.parent_task_id IS NOT NULL GROUP BY 1 ORDER BY 1
      ON CONFLICT (task_id) DO UPDATE SET tasks = d.tasks + excluded.tasks, tokens = d.tokens + excluded.tokens,
        cost_usd = d.cost_usd + excluded.cost_usd`,
    values: [pgArray(ids)],
  });
}

/**
 * Locks the edges that go with tasks, and all edges of those of which some change, in one order: two batches that meet
 * at edges of each other's tasks would otherwise take them in the order of their plans. Behind all locks of tasks.
 */
export async function lockEdges(
  db: Queryable,
  removed: readonly string[],
  changed: readonly string[],
): Promise<void> {
  await db.query({
    name: 'lock-edges',
    text: `SELECT FROM task_dependencies WHERE task_id = ANY($1::uuid[]) OR task_id = ANY($2::uuid[])
      OR depends_on = ANY($1::uuid[]) ORDER BY task_id, depends_on FOR UPDATE`,
    values: [pgArray(removed), pgArray(changed)],
  });
}

/** The same for what agents tell of tasks without a lock of the task. */
export async function lockTold(db: Queryable, ids: readonly string[]): Promise<void> {
  for (const [table, key] of [
    ['task_progress', 'task_id'],
    ['task_usage', 'task_id, attempt'],
  ]) {
    const text = `SELECT FROM ${table} WHERE task_id = ANY($1::uuid[]) ORDER BY ${key} FOR UPDATE`;
    await db.query({ name: `lock-${table}`, text, values: [pgArray(ids)] });
  }
}

export function removeTasks(ids: readonly string[]): readonly Part[] {
  return TABLES.map(([key, table, column]) => ({
    key,
    sql: (first) => `DELETE FROM ${table} WHERE ${column} IN (SELECT unnest(${parameters(['uuid'], first)}))`,
    values: [pgArray(ids)],
  }));
}
