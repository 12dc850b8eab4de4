import { setTimeout as delay } from 'node:timers/promises';
import { expectApplied, lockForMigration, StartError, type MigrationLockOptions } from '@baton/runtime';
import { ensureArchive } from './archive-tables.js';
import { createMigrator, type DataSource } from './database.js';
import { ensurePartitions } from './partitions.js';

const AGAIN_MS = 1_000;

export type MigrateOptions = Omit<MigrationLockOptions, 'name'> & {
  /** How long a table that others use is asked for again and again. Default: 60,000. */
  readonly patienceMs?: number;
};

/**
 * Brings the schema up to date and says which migrations ran; replicas that start together wait for each other. A
 * table that a long transaction uses is not waited for in one go, or everybody would wait behind: the migration is
 * tried again, and at last given up with the name of who has it.
 */
export async function migrate(url: string, options: MigrateOptions): Promise<readonly string[]> {
  const dataSource = await createMigrator(url).initialize();
  const runner = dataSource.createQueryRunner();
  try {
    await lockForMigration((sql) => runner.query(sql), { ...options, name: 'task-service migrations' });
    const applied: string[] = [];
    const bringUp = async () => {
      const ran = await dataSource.runMigrations();
      applied.push(...ran.map(({ name }) => name));
      await ensurePartitions((statement) => runner.query(statement));
      await ensureArchive((statement) => runner.query(statement));
    };
    await whileLocked(bringUp, dataSource, options);
    return applied;
  } finally {
    // The lock goes with its connection.
    await runner.release();
    await dataSource.destroy();
  }
}

async function whileLocked(
  work: () => Promise<void>,
  dataSource: DataSource,
  { tell, signal, patienceMs = 60_000 }: MigrateOptions,
): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error;
      const others = await findLongTransactions(dataSource);
      if (performance.now() >= giveUpAt) {
        const message = `a migration cannot have its table to itself, which others use: ${others}; end that and start again`;
        throw new StartError(message, { cause: error });
      }
      if (attempt === 1) tell(`a migration waits for a table that others use: ${others}`);
      await delay(AGAIN_MS, undefined, { signal });
    }
  }
}

const LOCK_NOT_AVAILABLE = '55P03';

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown }).code;
}

/** Who has been in a transaction the longest, in words. */
async function findLongTransactions(dataSource: DataSource): Promise<string> {
  const found: readonly { readonly told: string }[] = await dataSource.query(
    `SELECT format('process %s of %s, for %s s in %s', pid, coalesce(nullif(application_name, ''), usename),
        extract(epoch FROM clock_timestamp() - xact_start)::int, left(query, 100)) AS told
      FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
      ORDER BY xact_start LIMIT 3`,
  );
  return found.map(({ told }) => told).join('; ') || 'nobody that is still there';
}

/** Throws unless the schema is at least as new as this build. */
export function expectMigrated(dataSource: DataSource): Promise<void> {
  const find = (names: readonly string[]) =>
    dataSource.query<{ name: string }[]>('SELECT name FROM task_service_migrations WHERE name = ANY($1)', [
      names,
    ]);
  return expectApplied(dataSource.migrations, find, 'run npm run migrate');
}
