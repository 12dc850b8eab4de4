import type { Actor, JsonObject, JsonValue, TaskDependency, TaskStatus } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import { STATE_COLUMNS } from './task.columns.js';
import { rowToTask, type TaskRow } from './task.row.js';
import type { Task, TaskDescription, TaskPayload } from './task.js';

const STATE = STATE_COLUMNS.map((name) => `t.${name}`).join(', ');
/** What people read about a task, beside its state. */
export const DESCRIPTION_COLUMNS = [
  'title',
  'description',
  'tags',
  'metadata',
  'estimated_duration',
] as const;
const DESCRIPTION = DESCRIPTION_COLUMNS.map((name) => `t.${name}`).join(', ');

/** `STATE_COLUMNS` and `DESCRIPTION_COLUMNS` as the driver gives them. */
export type DescribedRow = TaskRow & {
  title: string;
  description: string;
  tags: readonly string[];
  metadata: JsonObject;
  estimated_duration: number | null;
};

type DescribedTask = Task & TaskDescription;

export type FoundTask = DescribedTask &
  TaskPayload & {
    readonly result: JsonValue | null;
    readonly progress: {
      readonly percent: number;
      readonly message: string | null;
      readonly at: number;
    } | null;
  };

/** One task with its payload and latest progress. */
export async function findTask(db: Queryable, id: string): Promise<FoundTask | undefined> {
  const { rows } = await db.query<
    DescribedRow & {
      input: JsonObject;
      context: JsonObject;
      result: JsonValue | null;
      percent: number | null;
      message: string | null;
      progress_at: number;
    }
  >({
    name: 'find-task',
    text: `SELECT ${STATE}, ${DESCRIPTION}, t.input, t.context, t.result, p.percent, p.message,
        p.updated_at AS progress_at
      FROM tasks t LEFT JOIN task_progress p ON p.task_id = t.id AND p.attempt = t.attempt WHERE t.id = $1`,
    values: [id],
  });
  const [row] = rows;
  if (row === undefined) return undefined;
  const progress =
    row.percent === null ? null : { percent: row.percent, message: row.message, at: row.progress_at };
  const { input, context, result } = row;
  return { ...describe(row), input, context, result, progress };
}

export async function findDependenciesOf(
  db: Queryable,
  id: string,
): Promise<readonly (TaskDependency & { readonly status: TaskStatus })[]> {
  const { rows } = await db.query<TaskDependency & { status: TaskStatus }>({
    name: 'find-dependencies-of',
    text: `SELECT d.depends_on AS "taskId", d.policy, d.name, t.status
      FROM task_dependencies d JOIN tasks t ON t.id = d.depends_on WHERE d.task_id = $1 ORDER BY t.id`,
    values: [id],
  });
  return rows;
}

/** Whether an agent holds a task that depends on this one: its result is then the agent's to read. */
export async function holdsDependentOf(db: Queryable, agentId: string, id: string): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'holds-dependent-of',
    text: `SELECT 1 FROM task_dependencies d JOIN tasks t ON t.id = d.task_id AND t.assigned_to = $1
      WHERE d.depends_on = $2 LIMIT 1`,
    values: [agentId, id],
  });
  return rowCount === 1;
}

/** Whether an agent holds the task or one above it: at most `LIMITS.treeDepth` steps up. */
export async function holdsTreeOf(db: Queryable, agentId: string, id: string): Promise<boolean> {
  const { rows } = await db.query<{ holds: boolean }>({
    name: 'holds-tree-of',
    text: `WITH RECURSIVE line AS (
        SELECT parent_task_id, assigned_to FROM tasks WHERE id = $2
        UNION ALL SELECT t.parent_task_id, t.assigned_to FROM line JOIN tasks t ON t.id = line.parent_task_id)
      SELECT coalesce(bool_or(assigned_to = $1), false) AS holds FROM line`,
    values: [agentId, id],
  });
  return rows[0]?.holds ?? false;
}

export type StoredEvent = {
  readonly version: number;
  readonly type: string;
  readonly at: number;
  readonly actor: Actor;
  readonly reason: string | null;
  readonly attempt: number;
  readonly data: { readonly changes: JsonObject; readonly decision?: JsonValue };
};

const EVENT = `version, event_type AS type, created_at AS at, actor, reason, attempt, event_data AS data`;

/** A task's accepted changes in order of version, behind `after`. */
export async function findEvents(
  db: Queryable,
  id: string,
  after: number,
  limit: number,
): Promise<readonly StoredEvent[]> {
  const { rows } = await db.query<StoredEvent>({
    name: 'find-events',
    text: `SELECT ${EVENT} FROM task_events WHERE task_id = $1 AND version > $2 ORDER BY version LIMIT $3`,
    values: [id, after, limit],
  });
  return rows;
}

/** The assignment that began an attempt, unless the task was handed on. */
export async function findAssignment(
  db: Queryable,
  id: string,
  attempt: number,
): Promise<StoredEvent | undefined> {
  const { rows } = await db.query<StoredEvent>({
    name: 'find-assignment',
    text: `SELECT ${EVENT} FROM task_events WHERE task_id = $1 AND event_type = 'task.assigned'
      AND attempt = $2`,
    values: [id, attempt],
  });
  return rows[0];
}

/** First events of tasks: what their creates answered. */
export async function findFirstEvents(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredEvent>> {
  const { rows } = await db.query<StoredEvent & { id: string }>({
    name: 'find-first-events',
    text: `SELECT task_id AS id, ${EVENT} FROM task_events WHERE task_id = ANY($1::uuid[]) AND version = 1`,
    values: [pgArray(ids)],
  });
  return new Map(rows.map(({ id, ...event }) => [id, event]));
}

/** The only place where such a row becomes a task. */
export function describe(row: DescribedRow): DescribedTask {
  const { title, description, tags, metadata, estimated_duration: estimatedDuration } = row;
  return { ...rowToTask(row), title, description, tags, metadata, estimatedDuration };
}
