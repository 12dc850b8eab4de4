import { describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '@baton/testkit';
import { createDataSource } from '../src/database/database.js';
import { migrate } from '../src/database/migrate.js';
import { migrateEmpty } from './fixture.js';

describe('the schema', () => {
  it('made by the migrations has the columns the code declares, no more and no fewer; migrating again does nothing', async () => {
    const database = await createTestDatabase({ schema: 'task_service', migrate: migrateEmpty });
    const dataSource = await createDataSource(database.url).initialize();
    try {
      expect(await migrate(dataSource)).toEqual([]);
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
});
