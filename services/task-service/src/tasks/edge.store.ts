import type { DependencyPolicy, TaskStatus } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import type { NewDependency } from './task.js';

export type DependencyEdge = {
  readonly taskId: string;
  readonly dependsOn: string;
  readonly policy: DependencyPolicy;
  readonly name: string | null;
};

/** The edges of tasks that are locked: nobody changes them meanwhile. */
export async function findDependencies(
  db: Queryable,
  ids: readonly string[],
): Promise<readonly DependencyEdge[]> {
  const { rows } = await db.query<DependencyEdge>({
    name: 'find-dependencies',
    text: `SELECT task_id AS "taskId", depends_on AS "dependsOn", policy, name
      FROM task_dependencies WHERE task_id = ANY($1::uuid[])`,
    values: [pgArray(ids)],
  });
  return rows;
}

export type Child = { readonly id: string; readonly status: TaskStatus };

/** The children a task can wait for, read unlocked: whatever ends meanwhile has it looked at again. */
export async function findAwaitable(
  db: Queryable,
  parents: readonly string[],
): Promise<ReadonlyMap<string, readonly Child[]>> {
  const children = new Map<string, Child[]>(parents.map((id) => [id, []]));
  if (parents.length === 0) return children;
  const { rows } = await db.query<Child & { parent: string }>({
    name: 'find-awaitable',
    text: `SELECT parent_task_id AS parent, id, status FROM tasks
      WHERE parent_task_id = ANY($1::uuid[]) AND NOT detached`,
    values: [pgArray(parents)],
  });
  for (const { parent, ...child } of rows) children.get(parent)?.push(child);
  return children;
}

/** Held until the end of the transaction: no two of them add edges that only together close a cycle. */
export async function lockGraph(db: Queryable): Promise<void> {
  await db.query({
    name: 'lock-graph',
    text: `SELECT pg_advisory_xact_lock(hashtext('task-service graph'))`,
  });
}

/** What a task waits for: its dependencies, and its children while it is blocked for them. Completed ones wait for nothing. */
const WAITS = `SELECT d.depends_on AS target FROM task_dependencies d
    JOIN tasks t ON t.id = d.task_id AND t.status <> 'completed' WHERE d.task_id = r.id
  UNION ALL
  SELECT c.id FROM tasks p JOIN tasks c ON c.parent_task_id = p.id AND NOT c.detached AND c.status <> 'completed'
    WHERE p.id = r.id AND p.status = 'blocked' AND p.status_reason = 'children'`;

/**
 * Which tasks wait for which, as far as the ways from these lead. Under the graph lock; O(what they wait for, near and
 * far, and has not completed), in one statement whatever the depth.
 */
export async function findWaits(db: Queryable, from: readonly string[]): Promise<Map<string, string[]>> {
  const waits = new Map<string, string[]>();
  if (from.length === 0) return waits;
  const { rows } = await db.query<{ source: string; target: string }>({
    name: 'find-waits',
    text: `WITH RECURSIVE r(id) AS (
        SELECT unnest($1::uuid[]) UNION SELECT w.target FROM r CROSS JOIN LATERAL (${WAITS}) w)
      SELECT r.id AS source, w.target FROM r CROSS JOIN LATERAL (${WAITS}) w`,
    values: [pgArray(from)],
  });
  for (const { source, target } of rows) addWait(waits, source, target);
  return waits;
}

export function addWait(waits: Map<string, string[]>, source: string, target: string): void {
  const targets = waits.get(source);
  if (targets === undefined) waits.set(source, [target]);
  else targets.push(target);
}

/** An edge as it is to be from now on: there, or not. */
export type EdgeChange = { readonly taskId: string } & (
  { readonly linked: NewDependency } | { readonly unlinked: string }
);

/** Writes edges of tasks that are locked. */
export async function saveEdges(db: Queryable, changes: readonly EdgeChange[]): Promise<void> {
  const linked = changes.flatMap((change) =>
    'linked' in change ? [{ ...change.linked, dependent: change.taskId }] : [],
  );
  const unlinked = changes.flatMap((change) =>
    'unlinked' in change ? [{ dependent: change.taskId, taskId: change.unlinked }] : [],
  );
  if (linked.length > 0) {
    await db.query({
      name: 'link-tasks',
      text: `INSERT INTO task_dependencies (task_id, depends_on, policy, name)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
        ON CONFLICT (task_id, depends_on) DO UPDATE SET policy = excluded.policy, name = excluded.name`,
      values: [
        pgArray(linked.map(({ dependent }) => dependent)),
        pgArray(linked.map(({ taskId }) => taskId)),
        pgArray(linked.map(({ policy }) => policy)),
        pgArray(linked.map(({ name }) => name)),
      ],
    });
  }
  if (unlinked.length > 0) {
    await db.query({
      name: 'unlink-tasks',
      text: `DELETE FROM task_dependencies d USING unnest($1::uuid[], $2::uuid[]) AS u(task_id, depends_on)
        WHERE d.task_id = u.task_id AND d.depends_on = u.depends_on`,
      values: [
        pgArray(unlinked.map(({ dependent }) => dependent)),
        pgArray(unlinked.map(({ taskId }) => taskId)),
      ],
    });
  }
}
