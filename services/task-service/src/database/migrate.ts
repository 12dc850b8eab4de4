import type { DataSource } from 'typeorm';
import { ensurePartitions } from './partitions.js';

/** Brings the schema up to date and says which migrations ran; replicas that start together wait for each other. */
export async function migrate(dataSource: DataSource): Promise<readonly string[]> {
  const runner = dataSource.createQueryRunner();
  await runner.connect();
  try {
    await runner.query(`SELECT pg_advisory_lock(hashtext('task-service migrations'))`);
    const applied = await dataSource.runMigrations();
    await ensurePartitions((statement) => runner.query(statement), new Date());
    return applied.map(({ name }) => name);
  } finally {
    await runner.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
    await runner.release();
  }
}
