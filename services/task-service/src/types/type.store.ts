import type { Actor, JsonObject, PutTaskType, TaskTypeView } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import { HELD_OF_TYPE } from '../tasks/held.store.js';

type TypeRow = {
  type: string;
  version: number;
  input_schema: JsonObject | null;
  result_schema: JsonObject | null;
  defaults: JsonObject;
  paused: boolean;
  max_concurrent: number | null;
  updated_at: number;
  updated_by: Actor;
};

/** What of a type is kept of all types; its schemas and defaults are read when they are needed. */
export type TypeSummary = {
  readonly type: string;
  readonly version: number;
  readonly hasInputSchema: boolean;
  readonly hasResultSchema: boolean;
  readonly hasDefaults: boolean;
  readonly paused: boolean;
  readonly maxConcurrent: number | null;
};

export type Pause = { readonly since: string; readonly by: Actor; readonly reason: string | null };

/** All types, by name: at most `LIMITS.taskTypes` short rows. */
export async function findSummaries(db: Queryable): Promise<readonly TypeSummary[]> {
  const { rows } = await db.query<TypeSummary>({
    name: 'find-type-summaries',
    text: `SELECT type, version, input_schema IS NOT NULL AS "hasInputSchema",
        result_schema IS NOT NULL AS "hasResultSchema", defaults::text <> '{}' AS "hasDefaults", paused,
        max_concurrent AS "maxConcurrent" FROM task_types ORDER BY type`,
  });
  return rows;
}

/** Rises with every change of a type or of the pause. */
export async function readRevision(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ value: string }>({
    name: 'read-types-revision',
    text: `SELECT value FROM settings WHERE name = 'task_types_revision'`,
  });
  return rows[0]?.value ?? '0';
}

/** Takes the lock of all changes of types, and counts this one. */
export async function raiseRevision(db: Queryable): Promise<void> {
  await db.query(`UPDATE settings SET value = (value::bigint + 1)::text WHERE name = 'task_types_revision'`);
}

export async function readPause(db: Queryable): Promise<Pause | null> {
  const { rows } = await db.query<{ value: string }>({
    name: 'read-pause',
    text: `SELECT value FROM settings WHERE name = 'paused'`,
  });
  const [row] = rows;
  return row === undefined ? null : (JSON.parse(row.value) as Pause);
}

/** A pause that is there stays as it began. */
export async function insertPause(
  db: Queryable,
  { by, reason }: Pick<Pause, 'by' | 'reason'>,
): Promise<void> {
  const since = `to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  const text = `INSERT INTO settings
    VALUES ('paused', json_build_object('since', ${since}, 'by', $1::text, 'reason', $2::text)::text)
    ON CONFLICT DO NOTHING`;
  await db.query(text, [by, reason]);
}

export async function deletePause(db: Queryable): Promise<void> {
  await db.query(`DELETE FROM settings WHERE name = 'paused'`);
}

const COLUMNS = `type, version, input_schema, result_schema, defaults, paused, max_concurrent, updated_at, updated_by`;

export async function findType(db: Queryable, type: string): Promise<TaskTypeView | undefined> {
  const { rows } = await db.query<TypeRow>({
    name: 'find-type',
    text: `SELECT ${COLUMNS} FROM task_types WHERE type = $1`,
    values: [type],
  });
  return rows.map(toView)[0];
}

/** Types by name, behind `after`. */
export async function listTypes(
  db: Queryable,
  after: string,
  limit: number,
): Promise<readonly TaskTypeView[]> {
  const { rows } = await db.query<TypeRow>(
    `SELECT ${COLUMNS} FROM task_types WHERE type > $1 ORDER BY type LIMIT $2`,
    [after, limit],
  );
  return rows.map(toView);
}

export async function countTypes(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ count: number }>('SELECT count(*) AS count FROM task_types');
  return rows[0]?.count ?? 0;
}

/** Makes the type or replaces all of it; the version rises over a removal too, so that no two are alike. */
export async function saveType(
  db: Queryable,
  type: string,
  definition: PutTaskType,
  by: Actor,
): Promise<TaskTypeView | undefined> {
  const { inputSchema, resultSchema, defaults, paused, maxConcurrent } = definition;
  const { rows } = await db.query<TypeRow>(
    `INSERT INTO task_types (${COLUMNS})
      SELECT $1, value::int, $2, $3, $4, $5, $6, clock_timestamp(), $7 FROM settings WHERE name = 'task_types_revision'
      ON CONFLICT (type) DO UPDATE SET version = excluded.version, input_schema = excluded.input_schema,
        result_schema = excluded.result_schema, defaults = excluded.defaults, paused = excluded.paused,
        max_concurrent = excluded.max_concurrent, updated_at = excluded.updated_at, updated_by = excluded.updated_by
      RETURNING ${COLUMNS}`,
    [type, toJson(inputSchema), toJson(resultSchema), toJson(defaults), paused, maxConcurrent, by],
  );
  return rows.map(toView)[0];
}

export async function deleteType(db: Queryable, type: string): Promise<boolean> {
  return (await db.query('DELETE FROM task_types WHERE type = $1', [type])).rowCount === 1;
}

/** The types of tasks that are there. */
export async function findTypesOf(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await db.query<{ id: string; type: string }>({
    name: 'find-types-of',
    text: 'SELECT id, type FROM tasks WHERE id = ANY($1::uuid[])',
    values: [pgArray(ids)],
  });
  return new Map(rows.map(({ id, type }) => [id, type]));
}

/** Those of these types that have as many tasks held as they may: two ranges of an index for each. */
export async function findFull(
  db: Queryable,
  limits: readonly { readonly type: string; readonly maxConcurrent: number }[],
): Promise<readonly string[]> {
  const { rows } = await db.query<{ type: string }>({
    name: 'find-full-types',
    text: `SELECT u.type FROM unnest($1::text[], $2::int[]) AS u(type, most)
      WHERE ${HELD_OF_TYPE} >= u.most`,
    values: [
      pgArray(limits.map(({ type }) => type)),
      pgArray(limits.map(({ maxConcurrent }) => maxConcurrent)),
    ],
  });
  return rows.map(({ type }) => type);
}

function toJson(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

function toView(row: TypeRow): TaskTypeView {
  return {
    type: row.type,
    version: row.version,
    inputSchema: row.input_schema,
    resultSchema: row.result_schema,
    defaults: row.defaults,
    paused: row.paused,
    maxConcurrent: row.max_concurrent,
    updatedAt: new Date(row.updated_at).toISOString(),
    updatedBy: row.updated_by,
  };
}
