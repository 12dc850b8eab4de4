import type { QueryRunner } from 'typeorm';

/**
 * Builds an index beside running replicas; what an interrupted build left behind is no index, but has its name. Outside
 * a transaction. Waits for transactions that are under way, however long: nobody waits behind it.
 */
export function buildIndex(runner: QueryRunner, name: string, definition: string): Promise<void> {
  return patiently(runner, async () => {
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
    await runner.query(`CREATE INDEX CONCURRENTLY ${name} ON ${definition}`);
  });
}

/** The same for a partitioned table: each partition's for itself, and one name for all of them and those to come. */
export async function buildPartitionedIndex(
  runner: QueryRunner,
  table: string,
  { name, on }: { readonly name: string; readonly on: string },
): Promise<void> {
  await runner.query(`DROP INDEX IF EXISTS ${name}`);
  await runner.query(`CREATE INDEX ${name} ON ONLY ${table} ${on}`);
  const partitions: readonly { readonly partition: string }[] = await runner.query(
    `SELECT inhrelid::regclass::text AS partition FROM pg_inherits WHERE inhparent = '${table}'::regclass`,
  );
  for (const { partition } of partitions) {
    const part = name.replace(table, partition);
    await buildIndex(runner, part, `${partition} ${on}`);
    await runner.query(`ALTER INDEX ${name} ATTACH PARTITION ${part}`);
  }
}

export function dropIndex(runner: QueryRunner, name: string): Promise<void> {
  return patiently(runner, () => runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`));
}

async function patiently(runner: QueryRunner, work: () => Promise<void>): Promise<void> {
  await runner.query('SET lock_timeout = 0');
  await work();
  await runner.query('RESET lock_timeout');
}
