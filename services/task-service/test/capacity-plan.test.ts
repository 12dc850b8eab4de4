import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '@baton/testkit';
import { lockAgents } from '../src/agents/capacity.store.js';
import { lockHolds } from '../src/types/hold.store.js';
import { createPool, type Pool, type Queryable } from '../src/database/database.js';
import { FIRST_ID } from '../src/write-path/pages.js';
import { findOrphans } from '../src/waiting/waiting.store.js';
import { migrateEmpty } from './fixture.js';
import { fillTasks } from './listed-tasks.js';

const COUNT = 12_000;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase({ schema: 'task_service', migrate: migrateEmpty });
  pool = createPool({ url: database.url, size: 2, onError: () => undefined });
  await fillTasks(pool, COUNT);
});
afterAll(async () => {
  await pool.end();
  await database.close();
});

type Plan = {
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
};

/** The scans of tasks that counting what these hold takes, in a pool as the write path's. */
async function scans(
  count: (db: Queryable) => Promise<unknown>,
  given: readonly string[],
): Promise<readonly Plan[]> {
  let text = '';
  const spy = {
    query: (statement: { readonly text: string; readonly values: unknown[] }) => {
      text = statement.text;
      return pool.query(statement);
    },
  };
  await count(spy as unknown as Queryable);
  const { rows } = await pool.query<{ 'QUERY PLAN': readonly [{ readonly Plan: Plan }] }>(
    `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${given.reduce((sql, value, index) => sql.replaceAll(`$${index + 1}`, `'${value}'`), text)}`,
  );
  const flat = (plan: Plan): readonly Plan[] => [plan, ...(plan.Plans ?? []).flatMap(flat)];
  return rows
    .flatMap((row) => flat(row['QUERY PLAN'][0].Plan))
    .filter((plan) => plan['Index Name'] !== undefined);
}

const ALL_ENDED = `UPDATE tasks SET status = 'completed', completed_at = created_at, assigned_to = NULL,
  holder_epoch = NULL, backlog_class = NULL`;
const HELD = `UPDATE tasks SET status = 'in_progress', completed_at = NULL, assigned_to = last_agent_id, attempt = 1,
  holder_epoch = 1, started_at = created_at, assigned_at = created_at
  WHERE id < (SELECT id FROM tasks ORDER BY id OFFSET 4000 LIMIT 1)`;
const amongAgents = (count: number) => `'agent-' || abs(hashtext(id::text)) % ${count}`;

describe('what an agent holds', () => {
  // The index of statuses has the same tasks, and as long as hardly any is held it looks no longer.
  it.each<readonly [string, string, string]>([
    ['nobody', 'NULL', 'VACUUM ANALYZE tasks'],
    ['nobody', 'NULL', 'ANALYZE tasks'],
    ['one agent', amongAgents(1), 'VACUUM ANALYZE tasks'],
    ['one agent', amongAgents(1), 'ANALYZE tasks'],
    ['four agents', amongAgents(4), 'ANALYZE tasks'],
    ['thousands', amongAgents(4_000), 'ANALYZE tasks'],
  ])(
    'is counted along its own tasks: %s had all (%s) and none was held at the last %s',
    async (_who, had, analyze) => {
      await pool.query(`${ALL_ENDED}, last_agent_id = ${had}`);
      await pool.query(analyze);
      await pool.query(`UPDATE tasks SET last_agent_id = ${amongAgents(100)}`);
      await pool.query(HELD);
      const agents = ['agent-0', 'agent-1'];
      const found = await scans((db) => lockAgents(db, agents), [`{${agents.join(',')}}`]);
      expect(found.map((plan) => plan['Index Name'])).toEqual(['tasks_by_agent']);
      const rows = found.map(
        (plan) => (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'],
      );
      expect(Math.max(...rows)).toBeLessThan(200);
    },
  );
});

describe('what is held of a type', () => {
  it.each(['VACUUM ANALYZE tasks', 'ANALYZE tasks'])(
    'is counted along the type and its status, and none was held at the last %s',
    async (analyze) => {
      await pool.query(`${ALL_ENDED}, last_agent_id = 'agent-0', type = 'other'`);
      await pool.query(
        `UPDATE tasks SET type = 'few' WHERE id IN (SELECT id FROM tasks ORDER BY id LIMIT 100)`,
      );
      await pool.query(analyze);
      await pool.query(HELD);
      await pool.query(`INSERT INTO task_types (type, version, defaults, paused, max_concurrent, updated_at, updated_by)
        VALUES ('few', 1, '{}', false, 200, now(), 'user:local') ON CONFLICT DO NOTHING`);
      const { holds } = await lockHolds(pool, ['few']);
      expect(holds.types.get('few')).toEqual({ isPaused: false, room: 100 });
      const found = (await scans((db) => lockHolds(db, ['few']), ['{few}'])).filter(
        (plan) => plan['Index Name'] !== 'settings_pkey',
      );
      expect(found.map((plan) => plan['Index Name'])).toEqual(['tasks_by_type']);
      const rows = found.map(
        (plan) => (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'],
      );
      expect(Math.max(...rows)).toBeLessThanOrEqual(200);
    },
  );
});

describe('a child that its parent left behind', () => {
  it('is found among the children that have not ended, however many parents failed', async () => {
    await pool.query(`${ALL_ENDED}, status_reason = NULL`);
    await pool.query(`UPDATE tasks SET status = 'failed'`);
    await pool.query(`UPDATE tasks SET status = 'created', completed_at = NULL WHERE id IN
      (SELECT id FROM tasks WHERE parent_task_id IS NOT NULL ORDER BY id LIMIT 3)`);
    await pool.query('ANALYZE tasks');
    const page = { after: FIRST_ID, limit: 500 };
    expect(await findOrphans(pool, page)).toHaveLength(3);
    const found = await scans((db) => findOrphans(db, page), [FIRST_ID, '500']);
    expect(new Set(found.map((plan) => plan['Index Name']))).toEqual(
      new Set(['tasks_live_children', 'tasks_pkey']),
    );
    const rows = found.map(
      (plan) => (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'],
    );
    expect(Math.max(...rows)).toBeLessThanOrEqual(3);
  });
});
