import type {
  Actor,
  JsonObject,
  JsonValue,
  TaskArtifact,
  TaskDependency,
  TaskStatus,
} from '@baton/contracts';
import { everywhere } from '../database/archive-tables.js';
import type { Queryable } from '../database/database.js';
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
    readonly archived: boolean;
    readonly result: JsonValue | null;
    readonly progress: {
      readonly percent: number;
      readonly message: string | null;
      readonly at: number;
    } | null;
    readonly artifacts: readonly FoundArtifact[];
    readonly checkpoint: {
      readonly value: JsonValue;
      readonly attempt: number;
      readonly at: number;
    } | null;
  };

type FoundArtifact = Omit<TaskArtifact, 'at'> & { readonly at: number };

type FoundRow = DescribedRow & {
  input: JsonObject;
  context: JsonObject;
  result: JsonValue | null;
  percent: number | null;
  message: string | null;
  progress_at: number;
  archived: boolean;
  artifacts: readonly FoundArtifact[] | null;
  checkpoint: JsonValue;
  checkpoint_attempt: number | null;
  checkpoint_at: number;
};

const PAYLOAD = ['input', 'context', 'result'];
const PROGRESS = ['task_id', 'attempt', 'percent', 'message', 'updated_at'];
const ARTIFACT = ['task_id', 'name', 'url', 'media_type', 'bytes', 'attempt', 'at'];

type Sources = Readonly<Record<'tasks' | 'progress' | 'checkpoints' | 'artifacts' | 'archived', string>>;

const findIn = ({ tasks, progress, checkpoints, artifacts, archived }: Sources): string =>
  `SELECT ${STATE}, ${DESCRIPTION}, t.input, t.context, t.result, p.percent, p.message,
      p.updated_at AS progress_at, c.value AS checkpoint, c.attempt AS checkpoint_attempt, c.at AS checkpoint_at,
      (SELECT json_agg(json_build_object('name', name, 'url', url, 'mediaType', media_type, 'bytes', bytes,
        'attempt', attempt, 'at', extract(epoch FROM at) * 1000) ORDER BY at, name)
        FROM ${artifacts} a WHERE a.task_id = t.id) AS artifacts, ${archived} AS archived
    FROM ${tasks} t LEFT JOIN ${progress} p ON p.task_id = t.id AND p.attempt = t.attempt
    LEFT JOIN ${checkpoints} c ON c.task_id = t.id WHERE t.id = $1`;

const FIND = findIn({
  tasks: 'tasks',
  progress: 'task_progress',
  checkpoints: 'task_checkpoints',
  artifacts: 'task_artifacts',
  archived: 'false',
});
const FIND_EVERYWHERE = findIn({
  tasks: everywhere('tasks', [...STATE_COLUMNS, ...DESCRIPTION_COLUMNS, ...PAYLOAD]),
  progress: everywhere('task_progress', PROGRESS),
  checkpoints: everywhere('task_checkpoints', ['task_id', 'attempt', 'value', 'at']),
  artifacts: everywhere('task_artifacts', ARTIFACT),
  archived: 'NOT EXISTS (SELECT FROM tasks h WHERE h.id = t.id)',
});

/** One task with its payload and latest progress, archived or not; the archive is asked for what is not hot. */
export async function findTask(db: Queryable, id: string): Promise<FoundTask | undefined> {
  const [row] = await findHotFirst<FoundRow>(db, 'find-task', [FIND, FIND_EVERYWHERE], [id]);
  if (row === undefined) return undefined;
  const progress =
    row.percent === null ? null : { percent: row.percent, message: row.message, at: row.progress_at };
  const { input, context, result, archived, checkpoint_attempt: attempt, checkpoint_at: at } = row;
  const checkpoint = attempt === null ? null : { value: row.checkpoint, attempt, at };
  const artifacts = row.artifacts ?? [];
  return { ...describe(row), input, context, result, progress, artifacts, checkpoint, archived };
}

/** Asks the hot tables, and when they have nothing, them and the archive in one snapshot. */
async function findHotFirst<Row extends object>(
  db: Queryable,
  name: string,
  [hot, all]: readonly [string, string],
  values: unknown[],
): Promise<readonly Row[]> {
  const { rows } = await db.query<Row>({ name, text: hot, values });
  return rows.length > 0
    ? rows
    : (await db.query<Row>({ name: `${name}-everywhere`, text: all, values })).rows;
}

type Edge = TaskDependency & { readonly status: TaskStatus };

const edgesIn = (dependencies: string, join: string): string =>
  `SELECT d.depends_on AS "taskId", d.policy, d.name, t.status
    FROM ${dependencies} d ${join} t ON t.id = d.depends_on WHERE d.task_id = $1 ORDER BY d.depends_on`;
const HOT_EDGES = edgesIn('task_dependencies', 'LEFT JOIN tasks');
const EDGES_EVERYWHERE = edgesIn(
  everywhere('task_dependencies', ['task_id', 'depends_on', 'policy', 'name']),
  `JOIN ${everywhere('tasks', ['id', 'status'])}`,
);

/**
 * What a task depends on, archived or not; the archive is asked only where either is not hot. A dependency whose
 * month was exported is not among them any more.
 */
export async function findDependenciesOf(
  db: Queryable,
  { id, archived }: Pick<FoundTask, 'id' | 'archived'>,
): Promise<readonly Edge[]> {
  if (!archived) {
    const hot = await db.query<Edge | (TaskDependency & { status: null })>({
      name: 'find-dependencies-of',
      text: HOT_EDGES,
      values: [id],
    });
    const known = hot.rows.filter((edge): edge is Edge => edge.status !== null);
    if (known.length === hot.rows.length) return known;
  }
  const { rows } = await db.query<Edge>({
    name: 'find-dependencies-everywhere',
    text: EDGES_EVERYWHERE,
    values: [id],
  });
  return rows;
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
/** Events of tasks in the hot tables and in the archive, as a relation. */
export const EVENTS_EVERYWHERE = everywhere('task_events', [
  'task_id',
  'version',
  'event_type',
  'created_at',
  'actor',
  'reason',
  'attempt',
  'event_data',
]);

const eventsIn = (events: string): string =>
  `SELECT ${EVENT} FROM ${events} e WHERE task_id = $1 AND version > $2 ORDER BY version LIMIT $3`;
const EVENTS: readonly [string, string] = [eventsIn('task_events'), eventsIn(EVENTS_EVERYWHERE)];

/** A task's accepted changes in order of version, behind `after`. */
export function findEvents(
  db: Queryable,
  id: string,
  after: number,
  limit: number,
): Promise<readonly StoredEvent[]> {
  return findHotFirst(db, 'find-events', EVENTS, [id, after, limit]);
}

const assignmentIn = (events: string): string =>
  `SELECT ${EVENT} FROM ${events} e WHERE task_id = $1 AND event_type = 'task.assigned' AND attempt = $2`;
const ASSIGNMENT: readonly [string, string] = [assignmentIn('task_events'), assignmentIn(EVENTS_EVERYWHERE)];

/** The assignment that began an attempt, unless the task was handed on. */
export async function findAssignment(
  db: Queryable,
  id: string,
  attempt: number,
): Promise<StoredEvent | undefined> {
  return (await findHotFirst<StoredEvent>(db, 'find-assignment', ASSIGNMENT, [id, attempt]))[0];
}

/** The only place where such a row becomes a task. */
export function describe(row: DescribedRow): DescribedTask {
  const { title, description, tags, metadata, estimated_duration: estimatedDuration } = row;
  return { ...rowToTask(row), title, description, tags, metadata, estimatedDuration };
}
