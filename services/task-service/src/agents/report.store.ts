import { LIMITS, type Artifact, type JsonValue, type LogLevel, type TaskStatus } from '@baton/contracts';
import type { Client } from '../database/database.js';
import { parameters } from '../database/parts.js';
import { joinJson, pgArray } from '../database/pg-array.js';

/** A task that is being worked on, as its lock found it. */
export type HeldTask = {
  readonly attempt: number;
  readonly epoch: number;
  readonly version: number;
  readonly status: TaskStatus;
};

/** What a holder says of its task; `R` is what. */
export type Report<R> = { readonly taskId: string; readonly attempt: number; readonly commandId: string } & R;

/**
 * Those of these tasks that this agent is working on, locked until the transaction ends: what is saved then was said
 * by their holder, and the next attempt's offer finds it. In order of id, as every lock of tasks.
 */
export async function lockWorkedOn(
  db: Client,
  agentId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, HeldTask>> {
  const { rows } = await db.query<HeldTask & { id: string }>({
    name: 'lock-worked-on',
    text: `SELECT id, attempt, holder_epoch AS epoch, version, status FROM tasks
      WHERE id = ANY($2::uuid[]) AND assigned_to = $1 AND status = 'in_progress' ORDER BY id FOR NO KEY UPDATE`,
    values: [agentId, pgArray(ids)],
  });
  return new Map(rows.map(({ id, ...task }) => [id, task]));
}

/** Saves reports on locked tasks in one statement; says of each, in the order given, whether there was room for it. */
export type SaveReports<R> = (db: Client, reports: readonly Report<R>[]) => Promise<readonly boolean[]>;

/** A line that is in the log already, by its command id, stays as it is. */
export const saveLines: SaveReports<{ readonly level: LogLevel; readonly message: string }> = (db, reports) =>
  save(db, {
    name: 'save-log-lines',
    reports,
    columns: ['level text', 'message text'],
    values: [pgArray(reports.map(({ level }) => level)), pgArray(reports.map(({ message }) => message))],
    // Numbers have no gaps: the task is locked, and its last one is found along the primary key.
    text: `fresh AS (
        SELECT s.*, row_number() OVER (PARTITION BY id ORDER BY position)
          + coalesce((SELECT max(number) FROM task_logs l WHERE l.task_id = s.id), 0) AS number
        FROM (SELECT DISTINCT ON (id, command_id) * FROM said ORDER BY id, command_id, position) s
        WHERE NOT EXISTS (SELECT FROM task_logs l WHERE l.task_id = s.id AND l.command_id = s.command_id)),
      saved AS (
        INSERT INTO task_logs (task_id, number, command_id, attempt, level, message, at)
        SELECT id, number, command_id, attempt, level, message, clock_timestamp() FROM fresh
        WHERE number <= ${LIMITS.logLines})
      SELECT NOT EXISTS (SELECT FROM fresh f WHERE f.id = s.id AND f.command_id = s.command_id
        AND f.number > ${LIMITS.logLines}) AS "hasRoom" FROM said s ORDER BY position`,
  });

/** The last one of a name counts. */
export const saveArtifacts: SaveReports<{ readonly artifact: Artifact }> = (db, reports) =>
  save(db, {
    name: 'save-artifacts',
    reports,
    columns: ['name text', 'url text', 'media_type text', 'bytes bigint'],
    values: [
      pgArray(reports.map(({ artifact }) => artifact.name)),
      pgArray(reports.map(({ artifact }) => artifact.url)),
      pgArray(reports.map(({ artifact }) => artifact.mediaType)),
      pgArray(reports.map(({ artifact }) => artifact.bytes)),
    ],
    text: `latest AS (SELECT DISTINCT ON (id, name) * FROM said ORDER BY id, name, position DESC),
      beyond AS (
        SELECT id, name FROM (
          SELECT id, name, row_number() OVER (PARTITION BY id ORDER BY position)
            + (SELECT count(*) FROM task_artifacts a WHERE a.task_id = l.id) AS number
          FROM latest l
          WHERE NOT EXISTS (SELECT FROM task_artifacts a WHERE a.task_id = l.id AND a.name = l.name)) fresh
        WHERE number > ${LIMITS.artifacts}),
      saved AS (
        INSERT INTO task_artifacts (task_id, name, url, media_type, bytes, attempt, at)
        SELECT id, name, url, media_type, bytes, attempt, clock_timestamp() FROM latest
        WHERE (id, name) NOT IN (SELECT id, name FROM beyond)
        ON CONFLICT (task_id, name) DO UPDATE SET url = excluded.url, media_type = excluded.media_type,
          bytes = excluded.bytes, attempt = excluded.attempt, at = excluded.at)
      SELECT (id, name) NOT IN (SELECT id, name FROM beyond) AS "hasRoom" FROM said ORDER BY position`,
  });

/** The last one counts. */
export const saveCheckpoints: SaveReports<{ readonly checkpoint: JsonValue }> = (db, reports) =>
  save(db, {
    name: 'save-checkpoints',
    reports,
    columns: ['value json'],
    values: [joinJson(reports.map(({ checkpoint }) => JSON.stringify(checkpoint)))],
    text: `saved AS (
        INSERT INTO task_checkpoints (task_id, attempt, value, at)
        SELECT DISTINCT ON (id) id, attempt, value, clock_timestamp() FROM said ORDER BY id, position DESC
        ON CONFLICT (task_id) DO UPDATE SET attempt = excluded.attempt, value = excluded.value, at = excluded.at)
      SELECT true AS "hasRoom" FROM said ORDER BY position`,
  });

type Save = {
  readonly name: string;
  readonly reports: readonly Report<object>[];
  /** What reports have beside task, attempt and command: names with their types, and a parameter of values for each. */
  readonly columns: readonly string[];
  readonly values: readonly string[];
  /** Saves the rows of `said`, and gives `hasRoom` for each in order. */
  readonly text: string;
};

async function save(db: Client, { name, reports, columns, values, text }: Save): Promise<readonly boolean[]> {
  const all = ['id uuid', 'command_id uuid', 'attempt int', ...columns].map((column) => column.split(' '));
  const { rows } = await db.query<{ hasRoom: boolean }>({
    name,
    text: `WITH said AS (SELECT * FROM unnest(${parameters(
      all.map(([, type = '']) => type),
      1,
    )}) WITH ORDINALITY AS u(${all.map(([column]) => column).join(', ')}, position)),
      ${text}`,
    values: [
      pgArray(reports.map(({ taskId }) => taskId)),
      pgArray(reports.map(({ commandId }) => commandId)),
      pgArray(reports.map(({ attempt }) => attempt)),
      ...values,
    ],
  });
  return rows.map(({ hasRoom }) => hasRoom);
}
