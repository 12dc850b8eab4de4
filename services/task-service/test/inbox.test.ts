import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@baton/testkit';
import { findInbox } from '../src/agents/inbox.store.js';
import { createPool, type Pool } from '../src/database/database.js';
import { migrateEmpty } from './fixture.js';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase({ schema: 'task_service', migrate: migrateEmpty });
  pool = createPool({ url: database.url, size: 2, onError: () => undefined });
});
afterAll(async () => {
  await pool.end();
  await database.close();
});

async function fill(agentId: string, count: number): Promise<void> {
  await pool.query(
    `INSERT INTO agent_inbox SELECT gen_random_uuid(), '${agentId}', gen_random_uuid(), 'completed', NULL,
      clock_timestamp(), clock_timestamp() FROM generate_series(1, ${count}) n`,
  );
}

describe('the inbox', () => {
  it('counts what waits up to a thousand, and no further however much there is', async () => {
    await fill('brief', 7);
    await fill('away', 5_000);
    expect((await findInbox(pool, 'none', 5)).count).toBe(0);
    const brief = await findInbox(pool, 'brief', 5);
    expect([brief.count, brief.items.length]).toEqual([7, 5]);
    expect((await findInbox(pool, 'away', 5)).count).toBe(1_001);
  });
});
