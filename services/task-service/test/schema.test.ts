import { describe, expect, it } from '@jest/globals';
import { createTestDatabase, until } from '@baton/testkit';
import { createDataSource, createMigrator } from '../src/database/database.js';
import { migrate } from '../src/database/migrate.js';
import { migrateEmpty } from './fixture.js';

describe('the schema', () => {
  it('made by the migrations has the columns the code declares, no more and no fewer; migrating again does nothing', async () => {
    const database = await createTestDatabase({ schema: 'task_service', migrate: migrateEmpty });
    const dataSource = await createDataSource(database.url).initialize();
    try {
      expect(
        await migrate(database.url, { tell: () => undefined, signal: new AbortController().signal }),
      ).toEqual([]);
      // What TypeORM would do to bring the tables to the entities; indexes and checks are the migrations' own.
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(
        upQueries.map(({ query }) => query).filter((query) => /COLUMN|CREATE TABLE/.test(query)),
      ).toEqual([]);
    } finally {
      await dataSource.destroy();
      await database.close();
    }
  });

  it('is migrated though others use the table, which nobody waits for behind it', async () => {
    const database = await createTestDatabase({ schema: 'task_service', migrate: migrateEmpty });
    const dataSource = await createDataSource(database.url).initialize();
    const reader = dataSource.createQueryRunner();
    const told: string[] = [];
    const options = { tell: (text: string) => void told.push(text), signal: new AbortController().signal };
    try {
      await dataSource.query(`DELETE FROM task_service_migrations WHERE name LIKE 'WaitLimits%'`);
      for (const column of ['queue_timeout', 'progress_timeout'])
        await dataSource.query(`ALTER TABLE tasks DROP COLUMN ${column} CASCADE`);
      await reader.query('BEGIN');
      await reader.query('SELECT count(*) FROM tasks');
      await expect(migrate(database.url, { ...options, patienceMs: 1 })).rejects.toThrow(
        /which others use: process \d+ of task-service, .*end that and start again/,
      );
      const migrated = migrate(database.url, options);
      await until(() => told.length === 1, { timeoutMs: 20_000 });
      // Its wait for the lock is over: who comes later is not held up.
      await dataSource.query('SELECT count(*) FROM tasks');
      await reader.query('COMMIT');
      expect(await migrated).toEqual(['WaitLimits1764200000000']);
    } finally {
      await reader.release();
      await dataSource.destroy();
      await database.close();
    }
  }, 60_000);

  it('is migrated when the replica that migrates has done so, however long that takes', async () => {
    const database = await createTestDatabase();
    const other = await createMigrator(database.url).initialize();
    const runner = other.createQueryRunner();
    const told: string[] = [];
    const tell = (text: string) => void told.push(text);
    try {
      expect(await runner.query('SHOW statement_timeout')).toEqual([{ statement_timeout: '0' }]);
      await runner.query(`SELECT pg_advisory_lock(hashtext('task-service migrations'))`);
      const stopping = new AbortController();
      const givenUp = migrate(database.url, { tell, signal: stopping.signal });
      await until(() => told.length === 1);
      stopping.abort();
      await expect(givenUp).rejects.toMatchObject({ name: 'AbortError' });
      const migrated = migrate(database.url, { tell, signal: new AbortController().signal });
      await until(() => told.length === 2);
      await runner.query(`SELECT pg_advisory_unlock_all()`);
      expect(await migrated).not.toEqual([]);
    } finally {
      await runner.release();
      await other.destroy();
      await database.close();
    }
  });
});
