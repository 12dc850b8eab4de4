import type { ChildResult, DependencyResult } from '@baton/contracts';
import { everywhere } from '../database/archive-tables.js';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';

/** Bytes of results in one assignment; what does not fit is fetched by id. */
const RESULT_BYTES = 64 * 1024;

type Owned = { readonly owner: string };
type ResultRow = DependencyResult & Owned & { isCut: boolean };

/**
 * Results of the tasks that `relation` gives as (owner, id, name): for each owner in order of id as far as they fit,
 * the rest without. What does not fit is not read into this process either.
 */
function capped(relation: string, join = 'JOIN tasks'): string {
  return `SELECT owner, id AS "taskId", name, title, status,
      CASE WHEN upto <= ${RESULT_BYTES} THEN result END AS result,
      upto > ${RESULT_BYTES} AND result IS NOT NULL AS "isCut"
    FROM (SELECT r.owner, t.id, r.name, t.title, t.status, t.result,
        sum(coalesce(octet_length(t.result::text), 0)) OVER (PARTITION BY r.owner ORDER BY t.id) AS upto
      FROM (${relation}) r ${join} t ON t.id = r.id) summed
    ORDER BY owner, id`;
}

const DEPENDENCIES =
  'SELECT task_id AS owner, depends_on AS id, name FROM task_dependencies WHERE task_id = ANY($1::uuid[])';
const HOT = capped(DEPENDENCIES, 'LEFT JOIN tasks');
const EVERYWHERE = capped(DEPENDENCIES, `JOIN ${everywhere('tasks', ['id', 'title', 'status', 'result'])}`);

/** What the dependencies of tasks came to, by dependent; the archive is asked only when one is not hot. */
export async function loadDependencyResults(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly DependencyResult[]>> {
  if (ids.length === 0) return new Map();
  const values = [pgArray(ids)];
  const hot = await db.query<ResultRow>({ name: 'load-dependency-results', text: HOT, values });
  if (hot.rows.every(({ taskId }) => taskId !== null)) return byOwner(hot.rows.map(toResult));
  const name = 'load-dependency-results-everywhere';
  const { rows } = await db.query<ResultRow>({ name, text: EVERYWHERE, values });
  return byOwner(rows.map(toResult));
}

/** How the children of tasks stand, by parent; detached ones are nobody's to wait for. */
export async function loadChildResults(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly ChildResult[]>> {
  if (ids.length === 0) return new Map();
  const { rows } = await db.query<ResultRow>({
    name: 'load-child-results',
    text: capped(`SELECT parent_task_id AS owner, id, NULL::text AS name FROM tasks
      WHERE parent_task_id = ANY($1::uuid[]) AND NOT detached`),
    values: [pgArray(ids)],
  });
  return byOwner(
    rows.map((row) => {
      const { name: _, ...result } = toResult(row);
      return result;
    }),
  );
}

function toResult({ isCut, ...result }: ResultRow): DependencyResult & Owned {
  return isCut ? { ...result, truncated: true } : result;
}

function byOwner<T extends object>(
  rows: readonly (T & Owned)[],
): ReadonlyMap<string, readonly Omit<T, 'owner'>[]> {
  const owners = new Map<string, Omit<T, 'owner'>[]>();
  for (const { owner, ...result } of rows) {
    const list = owners.get(owner);
    if (list === undefined) owners.set(owner, [result]);
    else list.push(result);
  }
  return owners;
}
