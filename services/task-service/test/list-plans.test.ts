import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseFilter, TASK_STATUSES, type FilterField, type TaskSort } from '@baton/contracts';
import { createTestDatabase } from '@baton/testkit';
import { createPool, type Pool } from '../src/database/database.js';
import { pgArray } from '../src/database/pg-array.js';
import { planList, type ListPlan } from '../src/tasks/list.filter.js';
import { COUNTED_ROWS, LISTS, SCANNED_ROWS, type ListName } from '../src/tasks/list.policy.js';
import { countStatement, pageStatement, type Statement } from '../src/tasks/list.statements.store.js';
import { estimateRows } from '../src/tasks/list.store.js';
import { migrateEmpty } from './fixture.js';
import { fillTasks, FIRST_MS, STEP_MS } from './listed-tasks.js';

const COUNT = 30_000;
const LIMIT = 50;
const idOf = (n: number) =>
  `${(FIRST_MS + n * STEP_MS)
    .toString(16)
    .padStart(12, '0')
    .replace(/^(.{8})/, '$1-')}-7000-8000-000000000000`;
/** In the middle of the tasks: half of them lie in front of it, half behind. */
const MIDDLE = { id: idOf(COUNT / 2), priority: 3 };

type Node = {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Node[];
};

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase({ schema: 'task_service', migrate: migrateEmpty });
  pool = createPool({ url: database.url, size: 2, planBy: 'rows', onError: () => undefined });
  await fillTasks(pool, COUNT);
});
afterAll(async () => {
  await pool.end();
  await database.close();
});

/** How the database runs a statement, every step of it: prepared, since the plan of a list does not know its values. */
async function explain({ text, values }: Statement): Promise<readonly Node[]> {
  const client = await pool.connect();
  try {
    await client.query(`PREPARE explained AS ${text}`);
    const literals = values.map((value) =>
      typeof value === 'number'
        ? String(value)
        : client.escapeLiteral(Array.isArray(value) ? pgArray(value) : String(value)),
    );
    const execute = `EXECUTE explained${literals.length === 0 ? '' : `(${literals.join(', ')})`}`;
    const { rows } = await client.query<{ 'QUERY PLAN': readonly [{ readonly Plan: Node }] }>(
      `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${execute}`,
    );
    const flat = (node: Node): readonly Node[] => [node, ...(node.Plans ?? []).flatMap(flat)];
    return rows.flatMap((row) => flat(row['QUERY PLAN'][0].Plan));
  } finally {
    await client.query('DEALLOCATE ALL');
    client.release();
  }
}

function rowsRead(nodes: readonly Node[]): number {
  const scans = nodes.filter(
    (node) => node['Node Type'].includes('Scan') && node['Index Name'] !== undefined,
  );
  return scans.reduce((sum, node) => {
    return sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
  }, 0);
}

/** Steps that take all their rows before they give one: a page of them and no more. */
const collected = (nodes: readonly Node[]) =>
  nodes
    .filter((node) => /Sort|Bitmap|Hash/.test(node['Node Type']) && node['Actual Rows'] > LIMIT + 1)
    .map((node) => node['Node Type']);
/** A page of entries and of rows; where rows are checked, as many as may be. */
const mostRows = ({ checks, relatedTo, ranges }: ListPlan) =>
  2 * (checks.length > 0 || relatedTo !== undefined ? SCANNED_ROWS + LIMIT : LIMIT + 1) + ranges.length;
const namesOf = (nodes: readonly Node[]) => nodes.map((node) => node['Node Type']);
const indexesOf = (nodes: readonly Node[]) => nodes.flatMap((node) => node['Index Name'] ?? []);

const parent = idOf(0);
const VALUES: Partial<Readonly<Record<FilterField, string>>> = {
  status: 'status:completed',
  priority: 'priority:1',
  type: 'type:summary',
  agent: 'agent:agent-1',
  creator: 'creator:user:local',
  tag: 'tag:red',
  parent: `parent:${parent}`,
  root: `root:${parent}`,
};

/** Each list with each set of its fields, in each of its orders. */
const supported = Object.entries(LISTS).flatMap(([name, { fields, sorts }]) => {
  const [first, ...others] = fields.map((field) => VALUES[field] ?? '');
  const sets = [
    [first ?? ''],
    ...others.map((other) => [first ?? '', other]),
    ...(name === 'status' ? [others] : []),
  ];
  return sets.flatMap((set) => sorts.map((sort) => [name as ListName, set.join(' ').trim(), sort] as const));
});
const many = `status:${TASK_STATUSES.slice(1).join(',')}`;
const wide: readonly (readonly [ListName, string, TaskSort])[] = [
  ['status', many, '-createdAt'],
  ['type', 'type:task,summary,summ_x,audit:web,audit:db,a,b,c', '-createdAt'],
  ['agent', 'agent:agent-0,agent-1,agent-2,agent-3', 'createdAt'],
];

async function plan(q: string, sort: TaskSort, list: ListName) {
  const plans = planList({ filter: parseFilter(q), sort, now: FIRST_MS + COUNT * STEP_MS });
  const found = plans.find((candidate) => candidate.list === list);
  if (found === undefined) throw new Error(`${q} is not read along ${list}`);
  return found;
}

describe('every supported list', () => {
  it.each([...supported, ...wide])(
    'along %s: %j in the order %s is read in order, a page of rows and no more',
    async (list, q, sort) => {
      const chosen = await plan(q, sort, list);
      for (const after of [undefined, MIDDLE]) {
        const nodes = await explain(pageStatement(chosen, after, LIMIT));
        expect(namesOf(nodes)).not.toContain('Seq Scan');
        expect(collected(nodes)).toEqual([]);
        expect(indexesOf(nodes)).toContain(LISTS[list].index);
        expect(rowsRead(nodes)).toBeLessThanOrEqual(mostRows(chosen));
      }
    },
  );

  it.each([...supported, ...wide].filter(([list]) => list !== 'all'))(
    'along %s: %j in the order %s, checked for what no task has, reads a bounded number of rows',
    async (list, q, sort) => {
      const chosen = await plan(`${q} "no such title"`, sort, list);
      for (const after of [undefined, MIDDLE]) {
        const nodes = await explain(pageStatement(chosen, after, LIMIT));
        expect(namesOf(nodes)).not.toContain('Seq Scan');
        expect(collected(nodes)).toEqual([]);
        expect(rowsRead(nodes)).toBeLessThanOrEqual(2 * (SCANNED_ROWS + LIMIT) + chosen.ranges.length);
      }
    },
  );

  it.each(supported)(
    'along %s: %j in the order %s is counted on a bounded number of rows, and estimated on none',
    async (list, q, sort) => {
      const chosen = await plan(q, sort, list);
      const nodes = await explain(countStatement(chosen));
      expect(namesOf(nodes)).not.toContain('Seq Scan');
      expect(rowsRead(nodes)).toBeLessThanOrEqual(2 * (COUNTED_ROWS + 1 + chosen.ranges.length));
      expect(await estimateRows(pool, chosen)).toBeGreaterThan(0);
    },
  );
});

// Before anything is changed: estimates lie apart by a tenth, and dead rows are estimated too.
describe('a filter that several lists serve', () => {
  it.each([
    ['type:task creator:agent:planner tag:blue', 'tag'],
    ['status:failed type:task', 'type'],
    ['agent:agent-1 status:completed type:audit:web', 'type'],
  ])('%s is read along the shortest, %s', async (q, shortest) => {
    const plans = planList({ filter: parseFilter(q), sort: '-createdAt', now: 0 });
    const estimates = await Promise.all(
      plans.map(async (each) => [each.list, await estimateRows(pool, each)] as const),
    );
    expect(estimates.toSorted(([, a], [, b]) => a - b)[0]?.[0]).toBe(shortest);
  });
});

describe('a list whose statistics are old', () => {
  /** All but a few are completed tasks of one type, creator and agent when statistics are taken; then the newest are not. */
  beforeAll(async () => {
    const client = await pool.connect();
    await client.query('SET statement_timeout = 0');
    await client.query(
      `UPDATE tasks SET type = 'task', created_by = 'user:local', last_agent_id = 'agent-1', assigned_to = NULL,
        backlog_class = NULL, completed_at = created_at,
        status = CASE WHEN id < $1 THEN 'failed' ELSE 'completed' END`,
      [idOf(300)],
    );
    await client.query('ANALYZE tasks');
    await client.query(
      `UPDATE tasks SET type = 'other', created_by = 'user:other', last_agent_id = NULL, completed_at = NULL,
        status = 'queued', backlog_class = 'class' WHERE id > $1`,
      [idOf(COUNT - 3_000)],
    );
    client.release(true);
  });

  it.each([
    'status:completed',
    'type:task status:completed',
    'type:task',
    'creator:user:local',
    'agent:agent-1',
  ])(
    '%s is read along its index, although nearly all tasks were of its kind and now the newest are not',
    async (q) => {
      const plans = planList({ filter: parseFilter(q), sort: '-createdAt', now: 0 });
      for (const chosen of plans) {
        const read = rowsRead(await explain(pageStatement(chosen, undefined, LIMIT)));
        expect(read).toBeLessThanOrEqual(mostRows(chosen));
      }
    },
  );
});

describe('the list of an agent', () => {
  it.each(['', 'status:completed', 'type:summ*'])(
    'with %j reads a bounded number of rows, also where it created what it had',
    async (q) => {
      await pool.query(`UPDATE tasks SET created_by = 'agent:agent-1' WHERE last_agent_id = 'agent-1'`);
      const request = { filter: parseFilter(q), sort: '-createdAt', now: 0, relatedTo: 'agent-1' } as const;
      for (const chosen of planList(request)) {
        const nodes = await explain(pageStatement(chosen, undefined, LIMIT));
        expect(namesOf(nodes)).not.toContain('Seq Scan');
        expect(collected(nodes)).toEqual([]);
        // What it both created and had is read along two indexes.
        const twice = 3 * (LIMIT + 1) + chosen.ranges.length;
        expect(rowsRead(nodes)).toBeLessThanOrEqual(chosen.checks.length === 0 ? twice : mostRows(chosen));
      }
    },
  );
});
