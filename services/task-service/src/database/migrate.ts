import { expectApplied, lockForMigration, type MigrationLockOptions } from '@baton/runtime';
import { ensureArchive } from './archive-tables.js';
import { createMigrator, type DataSource } from './database.js';
import { ensurePartitions } from './partitions.js';

/** Brings the schema up to date and says which migrations ran; replicas that start together wait for each other. */
export async function migrate(
  url: string,
  options: Omit<MigrationLockOptions, 'name'>,
): Promise<readonly string[]> {
  const dataSource = await createMigrator(url).initialize();
  const runner = dataSource.createQueryRunner();
  try {
    await lockForMigration((sql) => runner.query(sql), { ...options, name: 'task-service migrations' });
    const applied = await dataSource.runMigrations();
    await ensurePartitions((statement) => runner.query(statement));
    await ensureArchive((statement) => runner.query(statement));
    return applied.map(({ name }) => name);
  } finally {
    // The lock goes with its connection.
    await runner.release();
    await dataSource.destroy();
  }
}

/** Throws unless the schema is at least as new as this build. */
export function expectMigrated(dataSource: DataSource): Promise<void> {
  const find = (names: readonly string[]) =>
    dataSource.query<{ name: string }[]>('SELECT name FROM task_service_migrations WHERE name = ANY($1)', [
      names,
    ]);
  return expectApplied(dataSource.migrations, find, 'run npm run migrate');
}
