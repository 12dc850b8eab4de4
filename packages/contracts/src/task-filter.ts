import { TASK_STATUSES, type Priority, type TaskStatus } from './task.js';

/**
 * One condition on tasks. Lists mean any of them, sorted and without repetition; a type that ends in `*` means every
 * type that begins so. Times are milliseconds of the epoch, ages seconds.
 */
export type FilterTerm =
  | { readonly field: 'status'; readonly any: readonly TaskStatus[] }
  | { readonly field: 'priority'; readonly any: readonly Priority[] }
  | { readonly field: 'type' | 'agent' | 'creator'; readonly any: readonly string[] }
  | { readonly field: 'tag' | 'parent' | 'root' | 'text'; readonly is: string }
  | TimeTerm<'created'>
  | TimeTerm<'completed'>
  | { readonly field: 'age'; readonly over: number }
  | { readonly field: 'age'; readonly under: number };

type TimeTerm<Field> =
  { readonly field: Field; readonly from: number } | { readonly field: Field; readonly before: number };

/** What tasks are filtered by: all terms together, in one order, none twice. No terms: every task. */
export type TaskFilter = readonly FilterTerm[];

/** The fields of a filter, in the order its terms are written in. */
export const FILTER_FIELDS = [
  'status',
  'type',
  'agent',
  'creator',
  'priority',
  'tag',
  'parent',
  'root',
  'created',
  'completed',
  'age',
  'text',
] as const satisfies readonly FilterTerm['field'][];
export type FilterField = (typeof FILTER_FIELDS)[number];

/** The one form of a filter, whatever order its terms came in. */
export function toFilter(terms: readonly FilterTerm[]): TaskFilter {
  const byText = new Map(terms.map((term) => [stringifyTerm(term), term]));
  const fieldOf = (term: FilterTerm) => FILTER_FIELDS.indexOf(term.field);
  return [...byText]
    .toSorted(([a, left], [b, right]) => fieldOf(left) - fieldOf(right) || compare(a, b))
    .map(([, term]) => term);
}

/** Values that mean any of them, in the one order a term has them in. */
export function toAny<T extends string | number>(values: readonly T[]): readonly T[] {
  const rank = (value: T) => TASK_STATUSES.indexOf(value as TaskStatus);
  return [...new Set(values)].toSorted((a, b) => rank(a) - rank(b) || compare(a, b));
}

/** The filter in the `q=` language: `parseFilter` gives the same filter back. */
export function stringifyFilter(filter: TaskFilter): string {
  return filter.map(stringifyTerm).join(' ');
}

function stringifyTerm(term: FilterTerm): string {
  if ('any' in term) return `${term.field}:${term.any.map(String).map(write).join(',')}`;
  if (term.field === 'text') return quote(term.is);
  if ('is' in term) return `${term.field}:${write(term.is)}`;
  if ('from' in term) return `${term.field}:>=${new Date(term.from).toISOString()}`;
  if ('before' in term) return `${term.field}:<${new Date(term.before).toISOString()}`;
  return 'over' in term ? `age:>${term.over}s` : `age:<${term.under}s`;
}

const PLAIN = /^[A-Za-z0-9_.:/*@-]+$/;

function write(value: string): string {
  return PLAIN.test(value) ? value : quote(value);
}

function quote(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function compare<T>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
