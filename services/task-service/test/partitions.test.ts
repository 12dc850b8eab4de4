import { createTestDatabase, type TestDatabase } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { migrateEmpty } from './fixture.js';

let database: TestDatabase;
let db: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrateEmpty(database.url);
  db = new pg.Client({ connectionString: database.url });
  await db.connect();
});
afterAll(async () => {
  await db.end();
  await database.close();
});

describe('partitions of events', () => {
  it('a month whose events came before its partition gets one, and they move there', async () => {
    const month = new Date().toISOString().slice(0, 7).replace('-', '_');
    await db.query(`DROP TABLE task_events_${month}`);
    const id = Date.now()
      .toString(16)
      .padStart(12, '0')
      .replace(/^(.{8})/, '$1-');
    await db.query(
      `INSERT INTO task_events VALUES ($1, 1, 'task.created', '{}', 'service:task', NULL, 0, NULL, NULL, now())`,
      [`${id}-7000-8000-000000000000`],
    );
    const placed = async () =>
      (await db.query<{ place: string }>('SELECT tableoid::regclass::text AS place FROM task_events')).rows;
    expect(await placed()).toEqual([{ place: 'task_events_default' }]);
    await migrateEmpty(database.url);
    expect(await placed()).toEqual([{ place: `task_events_${month}` }]);
  });
});
