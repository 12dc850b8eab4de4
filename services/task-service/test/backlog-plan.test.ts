import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '@baton/testkit';
import { createPool, type Pool, type Queryable } from '../src/database/database.js';
import { discoverClasses, findFitting, findQueued } from '../src/distribution/backlog.store.js';
import { migrateEmpty } from './fixture.js';
import { fillWaiting, FLOODED, OTHER_CLASSES } from './waiting-tasks.js';

const COUNT = 100_000;
const PAGE = 50;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase({ schema: 'task_service', migrate: migrateEmpty });
  pool = createPool({ url: database.url, size: 2, onError: () => undefined });
  await fillWaiting(pool, COUNT);
}, 240_000);
afterAll(async () => {
  await pool.end();
  await database.close();
});

type Statement = { readonly text: string; readonly values: readonly (string | number)[] };
type Node = {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Node[];
};

/** How the database runs what a reading of the backlog asks it, every step that reads tasks. */
async function scansOf(
  read: (db: Queryable) => Promise<unknown>,
  mode: 'force_custom_plan' | 'force_generic_plan',
): Promise<readonly Node[]> {
  const asked: Statement[] = [];
  const spy = {
    query: (statement: Statement) => {
      asked.push(statement);
      return pool.query({ text: statement.text, values: [...statement.values] });
    },
  };
  await read(spy as unknown as Queryable);
  const client = await pool.connect();
  try {
    await client.query(`SET plan_cache_mode = ${mode}`);
    const plans: Node[] = [];
    for (const { text, values } of asked) {
      await client.query(`PREPARE explained AS ${text}`);
      const literals = values.map((value) => client.escapeLiteral(String(value)));
      const { rows } = await client.query<{ 'QUERY PLAN': readonly [{ readonly Plan: Node }] }>(
        `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE explained(${literals.join(', ')})`,
      );
      await client.query('DEALLOCATE explained');
      plans.push(...rows.map((row) => row['QUERY PLAN'][0].Plan));
    }
    return plans.flatMap(flat).filter((node) => node['Relation Name'] === 'tasks');
  } finally {
    client.release(true);
  }
}

function flat(node: Node): readonly Node[] {
  return [node, ...(node.Plans ?? []).flatMap(flat)];
}

function rowsRead(nodes: readonly Node[]): number {
  const read = (node: Node) =>
    (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
  return Math.round(nodes.reduce((sum, node) => sum + read(node), 0));
}

const afterHalf = { queueKey: 1_767_225_600_000 + COUNT / 2, id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };
const agent = { id: 'writer', capabilities: [], labels: {} };
const readings: readonly (readonly [string, (db: Queryable) => Promise<unknown>, number])[] = [
  [
    'the first page of the flooded class',
    (db) => findQueued(db, [{ backlogClass: FLOODED, limit: PAGE }]),
    PAGE + 1,
  ],
  [
    'a page in the middle of it',
    (db) => findQueued(db, [{ backlogClass: FLOODED, limit: PAGE, after: afterHalf }]),
    PAGE + 1,
  ],
  [
    'a page of each of two classes',
    (db) =>
      findQueued(
        db,
        ['other-00', FLOODED].map((backlogClass) => ({ backlogClass, limit: PAGE })),
      ),
    2 * (PAGE + 1),
  ],
  ['a class of which nothing waits', (db) => findQueued(db, [{ backlogClass: 'none', limit: PAGE }]), 0],
  // The next class is looked for once in each, and its first task read.
  ['the classes that wait', (db) => discoverClasses(db, '', 200), 2 * (OTHER_CLASSES + 1)],
  ['what an agent could do', (db) => findFitting(db, agent, PAGE), 2 * (OTHER_CLASSES + 1) + 2 * PAGE],
];

// Before statistics are taken the planner knows nothing of the flood; that is when one comes.
describe.each(['before', 'after'])('with 100,000 tasks waiting, %s statistics are taken', (when) => {
  beforeAll(async () => {
    if (when === 'after') await pool.query('ANALYZE tasks');
  });

  describe.each(['force_custom_plan', 'force_generic_plan'] as const)('by a plan of the kind %s', (mode) => {
    it.each(readings)('%s is read along the backlog, no more rows than it has', async (_, read, most) => {
      const scans = await scansOf(read, mode);
      expect(new Set(scans.map((node) => node['Index Name']))).toEqual(new Set(['tasks_backlog']));
      expect(rowsRead(scans)).toBeLessThanOrEqual(most);
    });
  });
});

it('a page names the oldest tasks of its class behind the cursor, in order', async () => {
  const page = await findQueued(pool, [{ backlogClass: FLOODED, limit: 9, after: afterHalf }]);
  const keys = page.get(FLOODED)?.map(({ needs }) => needs.queueKey - afterHalf.queueKey);
  expect(keys).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
});
