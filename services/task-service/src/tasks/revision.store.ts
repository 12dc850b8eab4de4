import type { Queryable } from '../database/database.js';
import { parameters, type Part } from '../database/parts.js';
import { joinJson, pgArray } from '../database/pg-array.js';
import { DESCRIBING, expression, FIXED, parameterType, toParameters } from './task.columns.js';
import type { Task, TaskDescription, TaskPayload } from './task.js';

/** What no rule of the life cycle looks at, and no lock query reads. */
export type Described = TaskDescription & TaskPayload;

/** Fields beside the state that are to be written: the settings of the task as it is, and what of the rest changed. */
export type Revision = { readonly task: Task; readonly described: Partial<Described> };

/** Reads tasks that are locked. */
export async function findDescribed(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Described>> {
  const { rows } = await db.query<Described & { id: string }>({
    name: 'find-described',
    text: `SELECT id, title, description, tags, metadata, estimated_duration AS "estimatedDuration", input, context
      FROM tasks WHERE id = ANY($1::uuid[])`,
    values: [pgArray(ids)],
  });
  return new Map(rows.map(({ id, ...described }) => [id, described]));
}

const REVISED = new Set([
  'required_capabilities',
  'preferred_capabilities',
  'criteria',
  'needs_class',
  'max_retries',
  'retry_policy',
  'timeout',
  'start_timeout',
  'queue_timeout',
  'progress_timeout',
  'deadline',
]);
const SETTINGS = FIXED.filter(({ name }) => REVISED.has(name));
const DURATION = 'estimated_duration';
/** Null for what stays: a payload that does not change is not written again. */
const TEXTS = DESCRIBING.filter(({ name }) => name !== DURATION);

const NAMES = ['id', ...SETTINGS.map(({ name }) => name), ...TEXTS.map(({ name }) => name)];
const TYPES = ['uuid', ...SETTINGS.map(({ type }) => parameterType(type)), ...TEXTS.map(({ type }) => type)];
const SET = [
  ...SETTINGS.map(({ name, type }) => `${name} = ${expression(name, type)}`),
  ...TEXTS.map(({ name }) => `${name} = coalesce(u.${name}, t.${name})`),
  `${DURATION} = CASE WHEN u.keeps_duration THEN t.${DURATION} ELSE u.${DURATION} END`,
];

/** Writes fields of locked tasks that no arrow changes. */
export function reviseTasks(revisions: readonly Revision[]): Part {
  return {
    key: 'revised_tasks',
    sql: (first) => `UPDATE tasks t SET ${SET.join(', ')}
      FROM unnest(${parameters([...TYPES, 'float8', 'bool'], first)})
        AS u(${[...NAMES, DURATION, 'keeps_duration'].join(', ')}) WHERE t.id = u.id`,
    values: [
      pgArray(revisions.map(({ task }) => task.id)),
      ...toParameters(
        SETTINGS,
        revisions.map(({ task }) => task),
      ),
      pgArray(revisions.map(({ described }) => described.title)),
      pgArray(revisions.map(({ described }) => described.description)),
      ...(['tags', 'metadata', 'input', 'context'] as const).map((name) =>
        joinJson(revisions.map(({ described }) => textOf(described[name]))),
      ),
      pgArray(revisions.map(({ described }) => described.estimatedDuration)),
      pgArray(revisions.map(({ described }) => described.estimatedDuration === undefined)),
    ],
  };
}

function textOf(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
