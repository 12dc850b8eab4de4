import { connectBus } from '@baton/bus';
import { INBOX_PREFIX } from '@baton/contracts';
import { openDatabase, startOperations, type ServiceContext } from '@baton/runtime';
import type { Config } from './config.js';
import { createDataSource, type DataSource } from './database/database.js';
import { migrate } from './database/migrate.js';
import { openEdges } from './edges.js';
import { healthOf, type Running } from './health.js';
import { observe } from './observe.js';
import { createServices } from './services.js';

/**
 * Opens the operations port, then the database as soon as there is one, migrates it and opens the edges. Resolves when
 * it serves, or was stopped before. NATS may be down all the while.
 */
export async function startTaskService(config: Config, { logger, onStop }: ServiceContext): Promise<void> {
  const { DATABASE_URL: url } = config;
  const dataSource = createDataSource(url);
  const bus = await connectBus({
    servers: config.NATS_URL,
    name: 'task-service',
    inboxPrefix: INBOX_PREFIX.service('task-service'),
    credentials: config.BATON_NATS_CREDENTIALS,
    logger,
  });
  const stopping = new AbortController();
  const { signal } = stopping;
  let cursorKey = '';
  let running: Running | undefined;
  const database = openDatabase(
    async () => {
      if (!dataSource.isInitialized) await dataSource.initialize();
      const migrations = await migrate(url, { tell: (text) => logger.info(text), signal });
      if (migrations.length > 0) logger.info({ migrations }, 'migrated');
      cursorKey = await readCursorKey(dataSource);
    },
    { url, logger, signal },
  );
  const operations = await startOperations({
    host: config.BATON_OPERATIONS_HOST,
    port: config.BATON_OPERATIONS_PORT,
    shutdownDelayMs: config.BATON_SHUTDOWN_DELAY_MS,
    ...healthOf({ dataSource, database, bus, running: () => running }),
    logger,
  });
  const started = start();
  onStop(async () => {
    stopping.abort();
    await operations.notReady();
    // What is half started is started first: it stops in the same order then.
    await started.catch(() => undefined);
    if (running !== undefined) await stopServices(running);
    await bus.close();
    if (dataSource.isInitialized) await dataSource.destroy();
    await operations.stop();
  });
  await started;

  async function start(): Promise<void> {
    if (!(await database.opened)) return;
    const services = await createServices(config, { dataSource, bus, cursorKey, signal }, logger);
    observe(services);
    running = { services, edges: await openEdges(services, config, logger) };
    if (signal.aborted) return;
    const { outbox, inbox, budgets, loops, reconciler } = services;
    outbox.start();
    inbox.start();
    budgets.start();
    for (const loop of loops) loop.start();
    void reconciler.run();
    operations.ready();
    const { httpUrl } = running.edges;
    logger.info({ http: httpUrl, operations: operations.port, lanes: config.BATON_LANES }, 'ready');
  }
}

/** From what causes commits to what follows from them: each step ends what the one before may still have begun. */
async function stopServices({ services, edges }: Running): Promise<void> {
  const { loops, watches, budgets, completions, sessions, writePath, offers, inbox, outbox, pools } =
    services;
  // Requests that only wait are answered now.
  watches.stop();
  // Nothing new is taken, what was is answered, and nothing begins by itself any more.
  await Promise.all([edges.close(), budgets.stop(), ...loops.map((loop) => loop.stop())]);
  await sessions.stop();
  await writePath.drain();
  await offers.stop();
  // What agents rejected meanwhile was submitted.
  await writePath.drain();
  await Promise.all([inbox.stop(), outbox.stop(), completions.write().catch(() => undefined)]);
  await Promise.all(Object.values(pools).map((pool) => pool.end()));
}

async function readCursorKey(dataSource: DataSource): Promise<string> {
  const [row] = await dataSource.query(`SELECT value FROM settings WHERE name = 'cursor_key'`);
  if (row === undefined) throw new Error('the settings table has no cursor_key; run npm run migrate');
  return row.value;
}
