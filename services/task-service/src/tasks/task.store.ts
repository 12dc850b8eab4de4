import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import { CHANGING, DESCRIBING, expression, FIXED, parameterType, STATE_COLUMNS } from './task.columns.js';
import { rowToTask, type TaskRow } from './task.row.js';
import type { ExistingDependency } from './create.decide.js';
import type { NewTask, Related, Task } from './task.js';

const STATE = STATE_COLUMNS.map((name) => `t.${name}`).join(', ');

export type LockedTask = { readonly task: Task; readonly liveEpoch: number | null };

/** Tasks with the live epoch of their agents. */
const SELECT_TASKS = `SELECT ${STATE}, a.epoch AS live_epoch FROM tasks t LEFT JOIN agents a ON a.id = t.assigned_to
  WHERE t.id = ANY($1::uuid[])`;

/**
 * Locks tasks in order of id. The sort is below the lock in the plan, so rows are locked in that order; the
 * agent's epoch comes along unlocked.
 */
export function lockTasks(db: Queryable, ids: readonly string[]): Promise<Map<string, LockedTask>> {
  return select(db, 'lock-tasks', `${SELECT_TASKS} ORDER BY t.id FOR NO KEY UPDATE OF t`, ids);
}

/** The same without the locks: good for an answer, not for a decision. */
export function readTasks(db: Queryable, ids: readonly string[]): Promise<Map<string, LockedTask>> {
  return select(db, 'read-tasks', SELECT_TASKS, ids);
}

async function select(
  db: Queryable,
  name: string,
  text: string,
  ids: readonly string[],
): Promise<Map<string, LockedTask>> {
  const { rows } = await db.query<TaskRow & { live_epoch: number | null }>({
    name,
    text,
    values: [pgArray(ids)],
  });
  return new Map(rows.map((row) => [row.id, { task: rowToTask(row), liveEpoch: row.live_epoch }]));
}

/** Locks tasks others depend on against removal only: their owners may still change them. */
export async function lockRelated(
  db: Queryable,
  ids: readonly string[],
): Promise<Map<string, ExistingDependency>> {
  const { rows } = await db.query<ExistingDependency>({
    name: 'lock-related',
    text: `SELECT id, status, created_by AS "createdBy", root_task_id AS "rootTaskId", last_agent_id AS "lastAgentId"
      FROM tasks WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE`,
    values: [pgArray(ids)],
  });
  return new Map(rows.map((row) => [row.id, row]));
}

export type DependencyEdge = {
  readonly taskId: string;
  readonly dependsOn: string;
  readonly policy: Related['dependencies'][number]['policy'];
};

/** The edges of tasks that are locked: nobody changes them meanwhile. */
export async function findDependencies(
  db: Queryable,
  ids: readonly string[],
): Promise<readonly DependencyEdge[]> {
  const { rows } = await db.query<DependencyEdge>({
    name: 'find-dependencies',
    text: `SELECT task_id AS "taskId", depends_on AS "dependsOn", policy
      FROM task_dependencies WHERE task_id = ANY($1::uuid[])`,
    values: [pgArray(ids)],
  });
  return rows;
}

/** How many children each parent has, deleted ones not counted. */
export async function countChildren(db: Queryable, parents: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await db.query<{ id: string; count: number }>({
    name: 'count-children',
    text: `SELECT parent_task_id AS id, count(*) AS count FROM tasks
      WHERE parent_task_id = ANY($1::uuid[]) GROUP BY 1`,
    values: [pgArray(parents)],
  });
  return new Map(rows.map((row) => [row.id, row.count]));
}

/** Who holds each task now, read unlocked: enough to tell a parent's holder about a child's end. */
export async function findHolders(db: Queryable, ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await db.query<{ id: string; holder: string }>({
    name: 'find-holders',
    text: `SELECT id, assigned_to AS holder FROM tasks WHERE id = ANY($1::uuid[]) AND assigned_to IS NOT NULL`,
    values: [pgArray(ids)],
  });
  return new Map(rows.map((row) => [row.id, row.holder]));
}

const INSERTED = [...FIXED, ...CHANGING];
const INSERT_TASKS = (() => {
  const columns = [...INSERTED, ...DESCRIBING];
  const names = columns.map(({ name }) => name).join(', ');
  const parameters = columns.map(({ type }, index) => `$${index + 1}::${parameterType(type)}`).join(', ');
  const values = columns.map(({ name, type }) => expression(name, type)).join(', ');
  return `INSERT INTO tasks (${names}) SELECT ${values} FROM unnest(${parameters}) AS u(${names})`;
})();

export type TaskInsert = { readonly task: Task; readonly definition: NewTask };

export async function insertTasks(db: Queryable, inserts: readonly TaskInsert[]): Promise<void> {
  await db.query({
    name: 'insert-tasks',
    text: INSERT_TASKS,
    values: [
      ...INSERTED.map(({ value }) => pgArray(inserts.map(({ task }) => value(task)))),
      ...DESCRIBING.map(({ value }) => pgArray(inserts.map(({ definition }) => value(definition)))),
    ],
  });
}

const UPDATE_TASKS = (() => {
  const names = ['id', 'from_version', 'result', ...CHANGING.map(({ name }) => name)].join(', ');
  const types = ['uuid[]', 'int[]', 'json[]', ...CHANGING.map(({ type }) => parameterType(type))];
  const parameters = types.map((type, index) => `$${index + 1}::${type}`).join(', ');
  const set = CHANGING.map(({ name, type }) => `${name} = ${expression(name, type)}`).join(', ');
  return `UPDATE tasks t SET ${set}, result = coalesce(u.result, t.result)
    FROM unnest(${parameters}) AS u(${names}) WHERE t.id = u.id AND t.version = u.from_version`;
})();

export type TaskUpdate = {
  readonly task: Task;
  readonly fromVersion: number;
  readonly result: string | null;
};

/** Writes tasks that are locked; a row that is not at the version it was read at is a fault of the write path. */
export async function updateTasks(db: Queryable, updates: readonly TaskUpdate[]): Promise<void> {
  const { rowCount } = await db.query({
    name: 'update-tasks',
    text: UPDATE_TASKS,
    values: [
      pgArray(updates.map(({ task }) => task.id)),
      pgArray(updates.map(({ fromVersion }) => fromVersion)),
      pgArray(updates.map(({ result }) => result)),
      ...CHANGING.map(({ value }) => pgArray(updates.map(({ task }) => value(task)))),
    ],
  });
  if (rowCount === updates.length) return;
  throw new Error(`expected to update ${updates.length} locked tasks, updated ${rowCount}`);
}

export async function insertDependencies(db: Queryable, tasks: readonly NewTask[]): Promise<void> {
  const edges = tasks.flatMap((task) => task.dependencies.map((dependency) => ({ task, dependency })));
  await db.query({
    name: 'insert-dependencies',
    text: `INSERT INTO task_dependencies (task_id, depends_on, policy, name)
      SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])`,
    values: [
      pgArray(edges.map(({ task }) => task.id)),
      pgArray(edges.map(({ dependency }) => dependency.taskId)),
      pgArray(edges.map(({ dependency }) => dependency.policy)),
      pgArray(edges.map(({ dependency }) => dependency.name)),
    ],
  });
}
