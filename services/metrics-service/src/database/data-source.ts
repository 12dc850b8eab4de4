import { expectApplied, impatientSocket, lockForMigration } from '@baton/runtime';
import type { Logger } from 'pino';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { CreateFigures1795305600000 } from './create-figures.migration.js';
import { CreateRollups1795305610000 } from './create-rollups.migration.js';

/** One connection flushes, three scrape, the rest answer reports and the readiness check. */
const POOL_SIZE = 6;
const STATEMENT_TIMEOUT_MS = 5_000;

/** A data source of the schema `metrics`, not yet connected. */
export function createDataSource(url: string, logger: Logger): DataSource {
  return new DataSource({
    ...dataSourceOptions(url, logger),
    poolSize: POOL_SIZE,
    extra: {
      keepAlive: true,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      // A server that stops answering (paused, half-open connection) must not be waited for, for ever.
      query_timeout: STATEMENT_TIMEOUT_MS + 2_000,
      stream: impatientSocket(STATEMENT_TIMEOUT_MS + 2_000),
      idleTimeoutMillis: STATEMENT_TIMEOUT_MS,
    },
  });
}

/** For migrations, which take as long as they take: one that a timeout cut off would be tried again for ever. */
function createMigrator(url: string, logger: Logger): DataSource {
  return new DataSource({
    ...dataSourceOptions(url, logger),
    poolSize: 2,
    extra: { keepAlive: true, keepAliveInitialDelayMillis: 10_000, options: '-c statement_timeout=0' },
  });
}

function dataSourceOptions(url: string, logger: Logger): Extract<DataSourceOptions, { type: 'postgres' }> {
  return {
    type: 'postgres',
    url,
    schema: 'metrics',
    applicationName: 'baton-metrics-service',
    connectTimeoutMS: 5_000,
    installExtensions: false,
    parseInt8: true,
    migrations: [CreateFigures1795305600000, CreateRollups1795305610000],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    poolErrorHandler: (error: unknown) => logger.warn({ err: error }, 'an idle database connection was lost'),
  };
}

/** Brings the schema up to date, one replica at a time. */
export async function migrate(url: string, logger: Logger, signal: AbortSignal): Promise<void> {
  const dataSource = await createMigrator(url, logger).initialize();
  const runner = dataSource.createQueryRunner();
  try {
    const tell = (text: string) => logger.info(text);
    await lockForMigration((sql) => runner.query(sql), { name: 'metrics-service migrations', tell, signal });
    // Asked first: CREATE SCHEMA IF NOT EXISTS needs rights on the database even where there is nothing to do.
    const [found] = await runner.query(`SELECT to_regnamespace('metrics') IS NOT NULL AS exists`);
    if (!found.exists) await runner.query('CREATE SCHEMA metrics');
    await dataSource.runMigrations();
  } finally {
    // The lock goes with its connection.
    await runner.release();
    await dataSource.destroy();
  }
}

/** Throws unless the schema is at least as new as this build. */
export function expectMigrated(dataSource: DataSource): Promise<void> {
  const find = (names: readonly string[]) =>
    dataSource.query<{ name: string }[]>('SELECT name FROM metrics.migrations WHERE name = ANY($1)', [names]);
  return expectApplied(dataSource.migrations, find, 'restart metrics-service');
}
