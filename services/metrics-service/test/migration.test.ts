import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@baton/testkit';
import { pino } from 'pino';
import { DataSource } from 'typeorm';
import { createDataSource, migrate } from '../src/database/data-source.js';

const logger = pino({ level: 'silent' });

let database: TestDatabase;
let superuser: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  superuser = await new DataSource({
    type: 'postgres',
    url: database.url,
    installExtensions: false,
  }).initialize();
});

afterAll(async () => {
  await superuser.destroy();
  await database.close();
});

describe('migrate', () => {
  it('works as a role that owns the schema and may do nothing else, over replicas and again', async () => {
    const role = `metrics_${database.name}`;
    await superuser.query(`CREATE ROLE ${role} LOGIN PASSWORD 'metrics'`);
    await superuser.query(`CREATE SCHEMA metrics AUTHORIZATION ${role}`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'metrics';
    const { signal } = new AbortController();
    await Promise.all([1, 2, 3].map(() => migrate(url.href, logger, signal)));
    const tables = await superuser.query(
      `SELECT schemaname, tableowner FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
       GROUP BY 1, 2`,
    );
    expect(tables).toEqual([{ schemaname: 'metrics', tableowner: role }]);

    const replica = await createDataSource(url.href, logger).initialize();
    await replica.undoLastMigration();
    await replica.undoLastMigration();
    expect(await superuser.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'metrics'`)).toEqual([
      { tablename: 'migrations' },
    ]);
    await replica.destroy();
    await superuser.query('DROP SCHEMA metrics CASCADE');
    await superuser.query(`DROP ROLE ${role}`);
  });
});
