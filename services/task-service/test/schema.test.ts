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
