import { DomainError, type FilterField, type TaskSort } from '@baton/contracts';

/** What a list may be read along. */
export type ListName = 'all' | 'status' | 'type' | 'agent' | 'creator' | 'tag' | 'parent' | 'root';

export type List = {
  /** The index of the database whose order is the order of the list. */
  readonly index: string;
  /** Fields the index narrows by; the first is what the list is for. */
  readonly fields: readonly FilterField[];
  readonly sorts: readonly TaskSort[];
};

const BY_CREATION = ['-createdAt', 'createdAt'] as const satisfies readonly TaskSort[];

/**
 * Every list there is: a filter in an order is served when one of these has the order and the filter's fields. Other
 * fields may be added to it: they are checked on the rows the list is read along. `created` and `age` narrow
 * every list by creation, since ids are ordered by time.
 */
export const LISTS: Readonly<Record<ListName, List>> = {
  all: { index: 'tasks_pkey', fields: [], sorts: BY_CREATION },
  status: {
    index: 'tasks_by_status',
    fields: ['status', 'priority'],
    sorts: [...BY_CREATION, 'priority', '-priority'],
  },
  type: { index: 'tasks_by_type', fields: ['type', 'status'], sorts: BY_CREATION },
  agent: { index: 'tasks_by_agent', fields: ['agent', 'status'], sorts: BY_CREATION },
  creator: { index: 'tasks_by_creator', fields: ['creator', 'status'], sorts: BY_CREATION },
  tag: { index: 'task_tags_pkey', fields: ['tag'], sorts: BY_CREATION },
  parent: { index: 'tasks_children', fields: ['parent'], sorts: BY_CREATION },
  root: { index: 'tasks_tree', fields: ['root'], sorts: BY_CREATION },
};

/** What a list may be asked for: the filters and orders the docs show, and a refusal. */
export const SUPPORTED: readonly List[] = [
  ...Object.values(LISTS),
  // Every status, merged.
  { index: LISTS.status.index, fields: [], sorts: ['priority', '-priority'] },
];

/** Rows one page is looked for in, at most: fields without an index are checked on so many, then the page ends. */
export const SCANNED_ROWS = 5_000;

/** Tasks counted one by one, at most; more are estimated. */
export const COUNTED_ROWS = 10_000;

/** The refusal of a filter no list serves in this order; its details say what is supported. */
export function notSupported(fields: readonly FilterField[], sort: TaskSort): DomainError {
  const supported = SUPPORTED.map((list) => ({ fields: list.fields, sorts: list.sorts }));
  const narrowing = sort.endsWith('priority')
    ? 'status or priority'
    : 'status, priority, type, agent, creator, tag, parent, root, created:>=… or age:<…';
  const asked = fields.length === 0 ? 'no filter' : [...new Set(fields)].join(', ');
  const detail = `no index serves ${asked} in the order ${sort}: add ${narrowing} to narrow it`;
  return new DomainError('QUERY_NOT_SUPPORTED', `Query: ${detail}`, {
    details: { errors: [{ pointer: '/q', code: 'not_supported', detail }], supported },
  });
}
