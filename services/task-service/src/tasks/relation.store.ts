import type { TaskDetail } from '@baton/contracts';
import { everywhere } from '../database/archive-tables.js';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';

/** What tells of a task who is related to it, as far as the row does. */
export type RelatableTask = Pick<
  TaskDetail,
  'id' | 'createdBy' | 'assignedTo' | 'lastAgentId' | 'delegationChain' | 'parentTaskId'
>;

const COLUMNS = ['id', 'created_by', 'assigned_to', 'last_agent_id', 'delegation_chain', 'parent_task_id'];

/** Those of these tasks that are there, archived or not. */
export async function findRelatable(
  db: Queryable,
  ids: readonly string[],
): Promise<readonly RelatableTask[]> {
  const { rows } = await db.query<RelatableTask>({
    name: 'find-relatable',
    text: `SELECT id, created_by AS "createdBy", assigned_to AS "assignedTo", last_agent_id AS "lastAgentId",
        delegation_chain AS "delegationChain", parent_task_id AS "parentTaskId"
      FROM ${everywhere('tasks', COLUMNS)} t WHERE id = ANY($1::uuid[])`,
    values: [pgArray(ids)],
  });
  return rows;
}

/** Those of these tasks that a task the agent holds depends on: their results are then the agent's to read. */
export function findDependedOnBy(
  db: Queryable,
  agentId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  return findIds(
    db,
    'find-depended-on-by',
    // A look for each, which ends with the first: a plan of its own for many might read all there is.
    `SELECT u.id FROM unnest($2::uuid[]) AS u(id) CROSS JOIN LATERAL (
        SELECT 1 FROM task_dependencies d JOIN tasks t ON t.id = d.task_id AND t.assigned_to = $1
        WHERE d.depends_on = u.id LIMIT 1) found`,
    [agentId, pgArray(ids)],
  );
}

/** Those of these tasks that the agent holds, or of which it holds one above: at most `LIMITS.treeDepth` steps up. */
export function findBelowHeldBy(
  db: Queryable,
  agentId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  return findIds(
    db,
    'find-below-held-by',
    `WITH RECURSIVE line AS (
        SELECT id, parent_task_id, assigned_to FROM tasks WHERE id = ANY($2::uuid[])
        UNION ALL SELECT line.id, t.parent_task_id, t.assigned_to FROM line JOIN tasks t ON t.id = line.parent_task_id)
      SELECT DISTINCT id FROM line WHERE assigned_to = $1`,
    [agentId, pgArray(ids)],
  );
}

/** Those of these tasks that the agent ever had: reads their histories, archived or not. */
export function findHadBy(
  db: Queryable,
  agentId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  return findIds(
    db,
    'find-had-by',
    `SELECT u.id FROM unnest($2::uuid[]) AS u(id) CROSS JOIN LATERAL (
        SELECT 1 FROM ${everywhere('task_events', ['task_id', 'event_data'])} e
        WHERE task_id = u.id AND event_data->'changes'->>'assignedTo' = $1 LIMIT 1) found`,
    [agentId, pgArray(ids)],
  );
}

async function findIds(
  db: Queryable,
  name: string,
  text: string,
  values: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ id: string }>({ name, text, values: [...values] });
  return new Set(rows.map(({ id }) => id));
}
