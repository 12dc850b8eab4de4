import {
  type FilterField,
  type FilterTerm,
  type Priority,
  type TaskFilter,
  type TaskSort,
  type TaskStatus,
} from '@baton/contracts';
import { LISTS, notSupported, type ListName } from './list.policy.js';
import {
  contradictsItself,
  isWholeTypeTerm,
  namesOf,
  prioritiesOf,
  statusesOf,
  wholeTypes,
} from './list.terms.filter.js';
import { lowestId } from './task-id.js';

/** One stretch of an index: all of it has these values. */
export type Range = {
  readonly status?: TaskStatus;
  readonly priority?: Priority;
  readonly type?: string;
  readonly agent?: string;
  readonly creator?: string;
  readonly tag?: string;
  readonly parent?: string;
  /** All of a tree but its root, which has no parent. */
  readonly below?: string;
  readonly root?: string;
};

/** What is checked on a row. Time of creation is never: ids say it. */
export type Check = Exclude<FilterTerm, { readonly field: 'created' | 'age' }>;

/**
 * How a list is read: stretches of one index, merged in order, and what is left to check on each row. `related` is what an
 * agent created or had last, along two indexes; a task may be in both.
 */
export type ListPlan = {
  readonly list: ListName | 'related';
  readonly ranges: readonly Range[];
  readonly order: { readonly by: 'id' | 'priority'; readonly descending: boolean };
  /** Bounds of the id; from is included, before is not. In order of priority they are checked. */
  readonly from?: string;
  readonly before?: string;
  /** From the most to the least urgent, both included, in a list in order of priority. */
  readonly priorities?: readonly [Priority, Priority];
  readonly checks: readonly Check[];
  /** Only tasks this agent created or had last. */
  readonly relatedTo?: string;
  /** The list of the archive, along its ids: all else is checked. */
  readonly archived?: true;
};

export type ListRequest = {
  readonly filter: TaskFilter;
  readonly sort: TaskSort;
  /** Milliseconds: ages are counted back from it. */
  readonly now: number;
  /** Lists for this agent alone: what it created or had last. */
  readonly relatedTo?: string;
  /** The archive instead of the hot tables. */
  readonly archived?: true;
};

const NARROWING = ['tag', 'agent', 'creator', 'type', 'status'] as const;

/**
 * The ways to read a list, any of which gives the same tasks in the same order; none when the filter contradicts
 * itself. Whoever knows how many rows each has takes the shortest. Throws QUERY_NOT_SUPPORTED.
 */
export function planList(request: ListRequest): readonly ListPlan[] {
  const { filter, sort, relatedTo } = request;
  const descending = sort.startsWith('-');
  if (contradictsItself(filter)) return [];
  if (request.archived) {
    if (sort.endsWith('priority')) throw notSupported(fieldsOf(filter), sort);
    return [{ ...planAlong('all', request, descending), archived: true }];
  }
  if (sort.endsWith('priority')) return planByPriority(request, descending);
  const plans = candidates(filter, relatedTo).map((list) => planAlong(list, request, descending));
  const usable = plans.filter(isNarrow);
  if (usable.length === 0) throw notSupported(fieldsOf(filter), sort);
  return usable;
}

/** Without something that narrows it, a list whose rows are checked would go through all tasks there are. */
function isNarrow({ list, checks, from }: ListPlan): boolean {
  return list !== 'all' || checks.length === 0 || from !== undefined;
}

/** A tree is small whatever else there is; the other lists may each be the shortest. */
function candidates(filter: TaskFilter, relatedTo: string | undefined): readonly ListPlan['list'][] {
  const has = (field: FilterField) => filter.some((term) => term.field === field);
  if (has('parent')) return ['parent'];
  if (has('root')) return ['root'];
  if (relatedTo !== undefined) return ['related'];
  const named = NARROWING.filter((field) => (field === 'type' ? wholeTypes(filter).length > 0 : has(field)));
  const status = has('priority') && !has('status') ? (['status'] as const) : [];
  return named.length + status.length === 0 ? ['all'] : [...named, ...status];
}

function planAlong(list: ListPlan['list'], request: ListRequest, descending: boolean): ListPlan {
  const { filter, relatedTo } = request;
  return {
    list,
    ranges: rangesOf(list, filter, relatedTo),
    order: { by: 'id', descending },
    ...bounds(request),
    checks: checksOf(filter, (term) => isServed(list, term, filter)),
    ...(list !== 'related' && relatedTo !== undefined ? { relatedTo } : {}),
  };
}

/** Every stretch of a status is in order of priority by itself; adjacent priorities bound it. */
function planByPriority(request: ListRequest, descending: boolean): readonly ListPlan[] {
  const { filter, sort, relatedTo } = request;
  const priorities = prioritiesOf(filter);
  const [most = 1, least = most] = [priorities[0], priorities.at(-1)];
  const isAdjacent = priorities.length === least - most + 1;
  const checks = checksOf(
    filter,
    (term) => term.field === 'status' || (isAdjacent && term.field === 'priority'),
  );
  const isNarrowed = filter.some(({ field }) => field === 'status' || field === 'priority');
  const isChecked = checks.length > 0 || relatedTo !== undefined || filter.some(isTime);
  if (isChecked && !isNarrowed) throw notSupported(fieldsOf(filter), sort);
  return [
    {
      list: 'status',
      ranges: statusesOf(filter).map((status) => ({ status })),
      order: { by: 'priority', descending },
      ...bounds(request),
      priorities: [most, least],
      checks,
      ...(relatedTo === undefined ? {} : { relatedTo }),
    },
  ];
}

function rangesOf(
  list: ListPlan['list'],
  filter: TaskFilter,
  relatedTo: string | undefined,
): readonly Range[] {
  const perStatus = (range: Range) => statusesOf(filter).map((status) => ({ ...range, status }));
  const [value = ''] = filter.flatMap((term) => ('is' in term && term.field === list ? [term.is] : []));
  switch (list) {
    case 'all':
      return [{}];
    case 'status':
      return statusesOf(filter).flatMap((status) =>
        prioritiesOf(filter).map((priority) => ({ status, priority })),
      );
    case 'type':
      return wholeTypes(filter).flatMap((type) => perStatus({ type }));
    case 'agent':
      return namesOf(filter, 'agent').flatMap((agent) => perStatus({ agent }));
    case 'creator':
      return namesOf(filter, 'creator').flatMap((creator) => perStatus({ creator }));
    case 'related':
      return [...perStatus({ creator: `agent:${relatedTo}` }), ...perStatus({ agent: relatedTo ?? '' })];
    case 'tag':
      return [{ tag: value }];
    case 'parent':
      return [{ parent: value }];
    case 'root':
      return [{ below: value }, { root: value }];
  }
}

function isServed(list: ListPlan['list'], term: FilterTerm, filter: TaskFilter): boolean {
  if (list === 'related') return term.field === 'status';
  if (!LISTS[list].fields.includes(term.field)) return false;
  if (term.field === 'type') return isWholeTypeTerm(term);
  // A list is along one tag: the first of several.
  return term.field !== 'tag' || filter.find(({ field }) => field === 'tag') === term;
}

function bounds({ filter, now }: ListRequest): Pick<ListPlan, 'from' | 'before'> {
  const from = filter.flatMap((term) => {
    if (term.field === 'created' && 'from' in term) return [term.from];
    return 'under' in term ? [now - term.under * 1_000 + 1] : [];
  });
  const before = filter.flatMap((term) => {
    if (term.field === 'created' && 'before' in term) return [term.before];
    return 'over' in term ? [now - term.over * 1_000] : [];
  });
  return {
    ...(from.length === 0 ? {} : { from: lowestId(Math.max(...from)) }),
    ...(before.length === 0 ? {} : { before: lowestId(Math.min(...before)) }),
  };
}

function checksOf(filter: TaskFilter, isServedBy: (term: FilterTerm) => boolean): readonly Check[] {
  return filter.filter((term): term is Check => !isTime(term) && !isServedBy(term));
}

function isTime({ field }: FilterTerm): boolean {
  return field === 'created' || field === 'age';
}

function fieldsOf(filter: TaskFilter): readonly FilterField[] {
  return filter.map(({ field }) => field);
}
