import { z } from 'zod';
import { parseFilter, parseFilterField } from './filter-syntax.js';
import { LIMITS } from './limits.js';
import { FILTER_VALUES } from './filter-values.js';
import { QueryError } from './query-error.js';
import { pageOf } from './route.js';
import {
  FILTER_FIELDS,
  stringifyFilter,
  toAny,
  toFilter,
  type FilterField,
  type FilterTerm,
} from './task-filter.js';
import { taskListItem } from './task-view.js';

/**
 * Orders of a list of tasks. `-createdAt` is newest first; `priority` is the most urgent first, of the same priority
 * the oldest; a `-` turns an order round.
 */
export const TASK_SORTS = ['-createdAt', 'createdAt', 'priority', '-priority'] as const;
export type TaskSort = (typeof TASK_SORTS)[number];

const value = z.string().max(LIMITS.queryCharacters);
/** A parameter may be given several times: any of its values where the field takes several, else all must hold. */
const parameter = z.union([value, z.array(value).min(1).max(LIMITS.filterTerms)]).optional();
const parameters = Object.fromEntries(
  FILTER_FIELDS.map((field) => [field, parameter.describe(FILTER_VALUES[field].expects)]),
) as Record<FilterField, typeof parameter>;

const queryText = value.default('').describe('A filter in one text: status:failed age:<1d "free text".');
const query = { ...parameters, q: queryText };
const page = {
  sort: z.enum(TASK_SORTS).default('-createdAt'),
  limit: z.coerce.number().int().min(1).max(LIMITS.listPage).default(50),
  cursor: z.string().max(512).optional(),
};

const archived = z
  .enum(['true', 'false'])
  .default('false')
  .describe('The tasks of the archive instead of the others, by creation.');

/** Query of `GET /v1/tasks`. Parameters and `q` become one filter, written in the one form of `q`. */
export const listTasks = z
  .strictObject({ ...query, ...page, archived })
  .transform(({ sort, limit, cursor, archived: isArchived, ...rest }, context) => ({
    q: combine(rest, context),
    sort,
    limit,
    ...(cursor === undefined ? {} : { cursor }),
    ...(isArchived === 'true' ? { archived: true as const } : {}),
  }));
export type ListTasks = z.infer<typeof listTasks>;

/** Query of `GET /v1/agents/{id}/tasks`: the same but for the agent. */
export const agentTasks = listTasks.in.omit({ agent: true });

/** Query of `GET /v1/tasks/count`. */
export const countTasks = z
  .strictObject({ ...query, archived })
  .transform(({ archived: isArchived, ...rest }, context) => ({
    q: combine(rest, context),
    ...(isArchived === 'true' ? { archived: true as const } : {}),
  }));
export type CountTasks = z.infer<typeof countTasks>;

/** What `GET /v1/tasks/count` answers. `approximate`: more than could be counted at once, estimated from a sample. */
export const taskCount = z.object({ count: z.number().int(), approximate: z.boolean() });
export type TaskCount = Readonly<z.infer<typeof taskCount>>;

/** A page of a list. It may be short or empty and the list go on: only a page without `next` is the last. */
export const taskPage = pageOf(taskListItem);
export type TaskPage = Readonly<z.infer<typeof taskPage>>;

/** `call.list`: the tasks an agent may see, filtered by `q`. */
export const callList = z
  .object({
    q: queryText,
    ...page,
    limit: z.number().int().min(1).max(LIMITS.listPage).default(50),
    archived: z.boolean().default(false),
  })
  .transform(({ q, sort, limit, cursor, archived: isArchived }, context) => ({
    q: combine({ q }, context),
    sort,
    limit,
    ...(cursor === undefined ? {} : { cursor }),
    ...(isArchived ? { archived: true as const } : {}),
  }));

type Query = { readonly q: string } & {
  readonly [field in FilterField]?: string | readonly string[] | undefined;
};

function combine({ q, ...fields }: Query, context: z.core.$RefinementCtx): string {
  const terms: FilterTerm[] = [];
  const read = (path: string, parse: () => readonly FilterTerm[]) => {
    try {
      terms.push(...parse());
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      context.addIssue({ code: 'custom', message: error.message, path: [path] });
    }
  };
  for (const field of FILTER_FIELDS) {
    const given = fields[field];
    if (given === undefined) continue;
    const texts = typeof given === 'string' ? [given] : given;
    read(field, () => together(texts.map((text) => parseFilterField(field, text))));
  }
  read('q', () => parseFilter(q));
  const filter = toFilter(terms);
  if (filter.length > LIMITS.filterTerms) {
    const message = `expected at most ${LIMITS.filterTerms} terms with those of the other parameters`;
    context.addIssue({ code: 'custom', message, path: ['q'] });
  }
  return stringifyFilter(filter);
}

/** `status=a&status=b` is what `status=a,b` is. */
function together(terms: readonly FilterTerm[]): readonly FilterTerm[] {
  const any = toAny(terms.flatMap((term): readonly (string | number)[] => ('any' in term ? term.any : [])));
  const [first] = terms;
  if (first === undefined || any.length === 0) return terms;
  if (any.length <= LIMITS.filterValues) return [{ field: first.field, any } as FilterTerm];
  throw new QueryError(
    0,
    `${first.field}: expected at most ${LIMITS.filterValues} values, got ${any.length}`,
  );
}
