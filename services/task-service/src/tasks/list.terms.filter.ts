import {
  PRIORITIES,
  TASK_STATUSES,
  type FilterField,
  type FilterTerm,
  type Priority,
  type TaskFilter,
  type TaskStatus,
} from '@baton/contracts';

/** Whether no task can be meant: two parents, or lists of a field that have nothing in common. */
export function contradictsItself(filter: TaskFilter): boolean {
  const count = (field: FilterField) => filter.filter((term) => term.field === field).length;
  const hasWholeTypes = filter.some(isWholeTypeTerm);
  return (
    count('parent') > 1 ||
    count('root') > 1 ||
    statusesOf(filter).length === 0 ||
    prioritiesOf(filter).length === 0 ||
    (hasWholeTypes && wholeTypes(filter).length === 0) ||
    (count('agent') > 0 && namesOf(filter, 'agent').length === 0) ||
    (count('creator') > 0 && namesOf(filter, 'creator').length === 0)
  );
}

/** Statuses every term of them allows. */
export function statusesOf(filter: TaskFilter): readonly TaskStatus[] {
  return TASK_STATUSES.filter((status) =>
    filter.every((term) => term.field !== 'status' || term.any.includes(status)),
  );
}

/** Priorities every term of them allows. */
export function prioritiesOf(filter: TaskFilter): readonly Priority[] {
  return PRIORITIES.filter((priority) =>
    filter.every((term) => term.field !== 'priority' || term.any.includes(priority)),
  );
}

/** Agents or creators that every term of the field names. */
export function namesOf(filter: TaskFilter, field: 'agent' | 'creator'): readonly string[] {
  return common(filter.flatMap((term) => (term.field === field ? [term.any] : [])));
}

/** Types every term that names whole types names: the index has no order over types that only begin alike. */
export function wholeTypes(filter: TaskFilter): readonly string[] {
  return common(filter.flatMap((term) => (isWholeTypeTerm(term) ? [term.any] : [])));
}

function common(lists: readonly (readonly string[])[]): readonly string[] {
  return (lists[0] ?? []).filter((name) => lists.every((list) => list.includes(name)));
}

type TypeTerm = Extract<FilterTerm, { readonly field: 'type' | 'agent' | 'creator' }>;

/** Whether a term names types and not only how they begin. */
export function isWholeTypeTerm(term: FilterTerm): term is TypeTerm {
  return term.field === 'type' && term.any.every(isWhole);
}

function isWhole(type: string): boolean {
  return !type.endsWith('*');
}
