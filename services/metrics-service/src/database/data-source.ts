import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { CreateFigures1795305600000 } from './create-figures.migration.js';

/** One connection flushes, three scrape, the rest answer reports and the readiness check. */
const POOL_SIZE = 6;
const STATEMENT_TIMEOUT_MS = 5_000;

/** A data source of the schema `metrics`, not yet connected. */
export function createDataSource(url: string, logger: Logger): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    schema: 'metrics',
    applicationName: 'baton-metrics-service',
    poolSize: POOL_SIZE,
    connectTimeoutMS: 5_000,
    installExtensions: false,
    parseInt8: true,
    migrations: [CreateFigures1795305600000],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    extra: { statement_timeout: STATEMENT_TIMEOUT_MS, keepAlive: true },
    poolErrorHandler: (error: unknown) => logger.warn({ err: error }, 'an idle database connection was lost'),
  });
}

/** Connects, unless it is connected, and brings the schema up to date, one replica at a time. */
export async function openFigures(dataSource: DataSource): Promise<void> {
  if (!dataSource.isInitialized) await dataSource.initialize();
  await dataSource.transaction(async (manager) => {
    await manager.query('SET LOCAL statement_timeout = 0');
    await manager.query(`SELECT pg_advisory_xact_lock(hashtext('metrics-service migrations'))`);
    // Asked first: CREATE SCHEMA IF NOT EXISTS needs rights on the database even where there is nothing to do.
    const [found] = await dataSource.query(`SELECT to_regnamespace('metrics') IS NOT NULL AS exists`);
    if (!found.exists) await dataSource.query('CREATE SCHEMA metrics');
    await dataSource.runMigrations();
  });
}

/** Throws unless every migration of this build was applied. More is fine: a newer build has been here. */
export async function expectMigrated(dataSource: DataSource): Promise<void> {
  const expected = dataSource.migrations.map(({ name, constructor }) => name ?? constructor.name);
  const rows = await dataSource.query<{ name: string }[]>(
    'SELECT name FROM metrics.migrations WHERE name = ANY($1)',
    [expected],
  );
  const applied = new Set(rows.map(({ name }) => name));
  const missing = expected.filter((name) => !applied.has(name));
  if (missing.length > 0) throw new Error(`the schema lacks ${missing.join(', ')}; restart metrics-service`);
}
