import type { z } from 'zod';
import { text } from './json.js';
import { nearest } from './nearest.js';
import { QueryError, show } from './query-error.js';
import { toAny, type FilterField, type FilterTerm } from './task-filter.js';
import { PRIORITIES, TASK_STATUSES, type Priority, type TaskStatus } from './task.js';
import { agentId, timestamp, uuid, word } from './words.js';

export type Operator = '<' | '<=' | '>' | '>=';
/** A value as it stands in a query, at an index of its text. */
export type Value = { readonly text: string; readonly at: number };

/** What a field takes. `expects` says it to people; `parse` throws QueryError. */
export type FilterValue = {
  readonly expects: string;
  readonly example: string;
  readonly parse: (values: readonly Value[], operator: Operator | undefined) => FilterTerm;
};

const STATUS = 'a status';
const TIME = '<, <=, > or >= and a time as 2026-11-22 or 2026-11-22T13:00:00Z';
const AGE = '< or > and a duration as 90s, 10m, 2h, 7d or 4w';
const PRIORITY = '1 (critical) to 5 (backlog), or one of them behind <, <=, > or >=';
const TYPE = 'a type, or how it begins and a *';
const CREATOR = 'who created it, as agent:planner or user:local';
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
const MAX_AGE_SECONDS = 3_155_760_000;
const LAST_MS = Date.UTC(10_000, 0) - 1;

const titlePart = text({ min: 1, maxCharacters: 255 });
const actorId = text({ min: 1, maxCharacters: 80 }).regex(/^(?:agent|user|service|system):./s);

/** The value each field takes: what the parser follows and the docs show. */
export const FILTER_VALUES: Readonly<Record<FilterField, FilterValue>> = {
  status: { ...anyOf('status', STATUS, toStatus), example: 'status:failed,cancelled' },
  type: { ...anyOf('type', TYPE, toType), example: 'type:summary,audit:*' },
  agent: {
    ...anyOf('agent', 'the id of the agent that has it or had it last', checkedBy(agentId)),
    example: 'agent:writer',
  },
  creator: { ...anyOf('creator', CREATOR, checkedBy(actorId)), example: 'creator:agent:planner' },
  priority: { expects: PRIORITY, example: 'priority:<=2', parse: parsePriority },
  tag: { ...one('tag', 'a tag', word), example: 'tag:nightly' },
  parent: { ...one('parent', 'the id of a task', uuid), example: 'parent:0193a1c4-…' },
  root: { ...one('root', 'the id of a task', uuid), example: 'root:0193a1c4-…' },
  created: { ...time('created'), example: 'created:>=2026-11-22' },
  completed: { ...time('completed'), example: 'completed:<2026-11-22T13:00:00Z' },
  age: { expects: AGE, example: 'age:>10m', parse: parseAge },
  text: { ...one('text', '1 to 255 characters of the title', titlePart), example: '"minutes of May"' },
};

type Check<T> = (value: string) => T | undefined;

function anyOf(
  field: 'status' | 'type' | 'agent' | 'creator',
  expects: string,
  check: Check<string>,
): Omit<FilterValue, 'example'> {
  const parse: FilterValue['parse'] = (values, operator) => {
    refuseOperator(field, expects, values, operator);
    const any = values.map((value) => check(value.text) ?? fail(field, expects, value));
    return { field, any: toAny(any) } as FilterTerm;
  };
  return { expects, parse };
}

function one(
  field: 'tag' | 'parent' | 'root' | 'text',
  expects: string,
  schema: z.ZodType<string>,
): Omit<FilterValue, 'example'> {
  const parse: FilterValue['parse'] = (values, operator) => {
    refuseOperator(field, expects, values, operator);
    const value = single(field, expects, values);
    return { field, is: checkedBy(schema)(value.text) ?? fail(field, expects, value) };
  };
  return { expects, parse };
}

/** Normalised to from (included) and before (not included). */
function time(field: 'created' | 'completed'): Omit<FilterValue, 'example'> {
  const parse: FilterValue['parse'] = (values, operator) => {
    const value = single(field, TIME, values);
    const at = toTime(value.text);
    if (at === undefined || operator === undefined) return fail(field, TIME, value);
    const bound = operator === '>' || operator === '<=' ? at + 1 : at;
    return (
      operator.startsWith('>') ? { field, from: clamp(bound) } : { field, before: clamp(bound) }
    ) as FilterTerm;
  };
  return { expects: TIME, parse };
}

function parsePriority(values: readonly Value[], operator: Operator | undefined): FilterTerm {
  const given = values.map((value) => toPriority(value.text) ?? fail('priority', PRIORITY, value));
  if (operator === undefined) return { field: 'priority', any: toAny(given) };
  const value = single('priority', PRIORITY, values);
  const bound = Number(value.text);
  const sign = operator.startsWith('<') ? -1 : 1;
  const least = operator.endsWith('=') ? 0 : 1;
  const any = PRIORITIES.filter((priority) => (priority - bound) * sign >= least);
  if (any.length > 0) return { field: 'priority', any };
  return fail('priority', `${PRIORITY}; no priority is ${operator}${value.text}`, value);
}

/** An age is exact to the millisecond, so `>=` says the same as `>`. */
function parseAge(values: readonly Value[], operator: Operator | undefined): FilterTerm {
  const value = single('age', AGE, values);
  const seconds = toSeconds(value.text);
  if (seconds === undefined || operator === undefined) return fail('age', AGE, value);
  return operator.startsWith('>') ? { field: 'age', over: seconds } : { field: 'age', under: seconds };
}

function toStatus(value: string): TaskStatus | undefined {
  return TASK_STATUSES.find((status) => status === value);
}

function toType(value: string): string | undefined {
  const begins = value.endsWith('*') ? value.slice(0, -1) : value;
  return word.safeParse(begins).success ? value : undefined;
}

function toPriority(value: string): Priority | undefined {
  return PRIORITIES.find((priority) => String(priority) === value);
}

function toTime(value: string): number | undefined {
  const full = value.length === 10 ? `${value}T00:00:00Z` : value;
  return timestamp.safeParse(full).success ? Date.parse(full) : undefined;
}

/** No task is older than the epoch, and later times have no four-digit year to be written with. */
function clamp(at: number): number {
  return Math.min(Math.max(at, 0), LAST_MS);
}

function toSeconds(value: string): number | undefined {
  const unit = UNIT_SECONDS[value.slice(-1)];
  const digits = value.slice(0, -1);
  if (unit === undefined || !/^\d{1,10}$/.test(digits)) return undefined;
  const seconds = Number(digits) * unit;
  return seconds <= MAX_AGE_SECONDS ? seconds : undefined;
}

function checkedBy(schema: z.ZodType<string>): Check<string> {
  return (value) => (schema.safeParse(value).success ? value : undefined);
}

function single(field: FilterField, expects: string, values: readonly Value[]): Value {
  const [first, second] = values;
  if (second !== undefined) return fail(field, `${expects}, once; repeat the field to ask for more`, second);
  return first ?? { text: '', at: 0 };
}

function refuseOperator(
  field: FilterField,
  expects: string,
  values: readonly Value[],
  operator: Operator | undefined,
): void {
  const [first] = values;
  if (operator === undefined || first === undefined) return;
  fail(field, expects, { text: `${operator}${first.text}`, at: first.at - operator.length });
}

function fail(field: FilterField, expects: string, { text: got, at }: Value): never {
  const near = field === 'status' ? nearest(got, TASK_STATUSES) : undefined;
  const options = field === 'status' ? ` (${TASK_STATUSES.join(', ')})` : '';
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new QueryError(at, `${field}: expected ${expects}${options}, got ${show(got)}${hint}`);
}
