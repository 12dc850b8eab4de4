import type { Queryable } from '../database/database.js';
import { parameters, type Part } from '../database/parts.js';
import { joinJson, pgArray } from '../database/pg-array.js';
import {
  CHANGING,
  DESCRIBING,
  expression,
  FIXED,
  parameterType,
  STATE_COLUMNS,
  toParameters,
} from './task.columns.js';
import { rowToTask, type TaskRow } from './task.row.js';
import type { ExistingDependency } from './create.decide.js';
import type { NewTask, Related, Task } from './task.js';

const STATE = STATE_COLUMNS.map((name) => `t.${name}`).join(', ');

export type LockedTask = {
  readonly task: Task;
  /** It is in the archive, where nothing changes. */
  readonly archived?: true;
} & Pick<Related, 'liveEpoch' | 'heartbeatMs'>;

/** Tasks with the live epoch and the beat of their agents. */
const SELECT_TASKS = `SELECT ${STATE}, a.epoch AS live_epoch, a.heartbeat_ms
  FROM tasks t LEFT JOIN agents a ON a.id = t.assigned_to WHERE t.id = ANY($1::uuid[])`;

type LockedRow = TaskRow & { live_epoch: number | null; heartbeat_ms: number | null };

/** Tasks under lock by id, and the time after the last lock (milliseconds; nothing when none was there). */
export type LockedTasks = {
  readonly tasks: ReadonlyMap<string, LockedTask>;
  readonly now: number | undefined;
};

/**
 * Locks tasks in order of id. The sort is below the lock in the plan, so rows are locked in that order; the
 * agent's epoch comes along unlocked. The clock is read outside of the part that locks, row by row as they come out
 * of it, so that the latest reading is later than every lock.
 */
export async function lockTasks(db: Queryable, ids: readonly string[]): Promise<LockedTasks> {
  const { rows } = await db.query<LockedRow & { now: number }>({
    name: 'lock-tasks',
    text: `WITH locked AS MATERIALIZED (${SELECT_TASKS} ORDER BY t.id FOR NO KEY UPDATE OF t)
      SELECT *, clock_timestamp() AS now FROM locked`,
    values: [pgArray(ids)],
  });
  return {
    tasks: toLocked(rows),
    now: rows.length === 0 ? undefined : Math.max(...rows.map(({ now }) => now)),
  };
}

/** The same without the locks: good for an answer, not for a decision. */
export async function readTasks(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LockedTask>> {
  const { rows } = await db.query<LockedRow>({
    name: 'read-tasks',
    text: SELECT_TASKS,
    values: [pgArray(ids)],
  });
  return toLocked(rows);
}

function toLocked(rows: readonly LockedRow[]): ReadonlyMap<string, LockedTask> {
  return new Map(
    rows.map((row) => {
      const { live_epoch: liveEpoch, heartbeat_ms: heartbeatMs } = row;
      return [row.id, { task: rowToTask(row), liveEpoch, heartbeatMs }];
    }),
  );
}

/** What is looked at of a task that others depend on. */
export const RELATED = 'id, status';

/** Locks tasks others depend on against removal only: their owners may still change them. */
export async function lockRelated(
  db: Queryable,
  ids: readonly string[],
): Promise<Map<string, ExistingDependency>> {
  const { rows } = await db.query<ExistingDependency>({
    name: 'lock-related',
    text: `SELECT ${RELATED} FROM tasks WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE`,
    values: [pgArray(ids)],
  });
  return new Map(rows.map((row) => [row.id, row]));
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
const INSERT_COLUMNS = [...INSERTED, ...DESCRIBING];
const INSERT_NAMES = INSERT_COLUMNS.map(({ name }) => name).join(', ');
const INSERT_VALUES = INSERT_COLUMNS.map(({ name, type }) => expression(name, type)).join(', ');
const INSERT_TYPES = INSERT_COLUMNS.map(({ type }) => parameterType(type));

export type TaskInsert = { readonly task: Task; readonly definition: NewTask };

export function insertTasks(inserts: readonly TaskInsert[]): Part {
  return {
    key: 'new_tasks',
    sql: (first) => `INSERT INTO tasks (${INSERT_NAMES}) SELECT ${INSERT_VALUES}
      FROM unnest(${parameters(INSERT_TYPES, first)}) AS u(${INSERT_NAMES})`,
    values: [
      ...toParameters(
        INSERTED,
        inserts.map(({ task }) => task),
      ),
      ...toParameters(
        DESCRIBING,
        inserts.map(({ definition }) => definition),
      ),
    ],
  };
}

const UPDATE_NAMES = ['id', 'from_version', 'result', ...CHANGING.map(({ name }) => name)].join(', ');
const UPDATE_TYPES = ['uuid', 'int', 'json', ...CHANGING.map(({ type }) => parameterType(type))];
const UPDATE_SET = CHANGING.map(({ name, type }) => `${name} = ${expression(name, type)}`).join(', ');

export type TaskUpdate = {
  readonly task: Task;
  readonly fromVersion: number;
  readonly result: string | null;
};

/** Writes tasks that are locked, where they are still at the version they were read at. */
export function updateTasks(updates: readonly TaskUpdate[]): Part {
  return {
    key: 'changed_tasks',
    sql: (first) => `UPDATE tasks t SET ${UPDATE_SET}, result = coalesce(u.result, t.result)
      FROM unnest(${parameters(UPDATE_TYPES, first)}) AS u(${UPDATE_NAMES})
      WHERE t.id = u.id AND t.version = u.from_version`,
    values: [
      pgArray(updates.map(({ task }) => task.id)),
      pgArray(updates.map(({ fromVersion }) => fromVersion)),
      joinJson(updates.map(({ result }) => result)),
      ...toParameters(
        CHANGING,
        updates.map(({ task }) => task),
      ),
    ],
  };
}

export function insertDependencies(tasks: readonly NewTask[]): Part {
  const edges = tasks.flatMap((task) => task.dependencies.map((dependency) => ({ task, dependency })));
  return {
    key: 'new_edges',
    sql: (first) => `INSERT INTO task_dependencies (task_id, depends_on, policy, name)
      SELECT * FROM unnest(${parameters(['uuid', 'uuid', 'text', 'text'], first)})`,
    values: [
      pgArray(edges.map(({ task }) => task.id)),
      pgArray(edges.map(({ dependency }) => dependency.taskId)),
      pgArray(edges.map(({ dependency }) => dependency.policy)),
      pgArray(edges.map(({ dependency }) => dependency.name)),
    ],
  };
}
