import { checkNats, connectBus, JetStreamStrategy, type Bus } from '@baton/bus';
import { INBOX_PREFIX } from '@baton/contracts';
import {
  createClock,
  followDatabase,
  HTTP_PATIENCE,
  limitConnections,
  nestLogger,
  observeHttp,
  openDatabase,
  prepareHttpEnd,
  ProblemFilter,
  sendSecurityHeaders,
  startOperations,
  type DatabaseClock,
  type Health,
  type OpeningDatabase,
  type ServiceContext,
} from '@baton/runtime';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import type { DataSource } from 'typeorm';
import type { Config } from './config.js';
import { createDataSource, expectMigrated, migrate } from './database/data-source.js';
import { CapacityService } from './fleet/capacity.service.js';
import { CapacityStore } from './fleet/capacity.store.js';
import { guardReports } from './guard.js';
import { HealingService } from './healing/healing.service.js';
import { ProgressStore } from './healing/progress.store.js';
import { IngestService } from './ingest/ingest.service.js';
import { IngestStore } from './ingest/ingest.store.js';
import { LiveService } from './live/live.service.js';
import { MetricsModule } from './metrics.module.js';
import { registerPoolFigures } from './prometheus/pool-figures.js';
import { registerTaskFigures } from './prometheus/task-figures.js';
import { TaskFiguresStore } from './prometheus/task-figures.store.js';
import { ReportService } from './reports/report.service.js';
import { ReportStore } from './reports/report.store.js';
import { SystemService } from './reports/system.service.js';
import { RetentionService } from './rollups/retention.service.js';
import { RetentionStore } from './rollups/retention.store.js';
import { TaskServiceClient } from './task-service.client.js';

/** Starts the service. It waits for Postgres, and comes up while NATS is down. */
export async function startMetrics(config: Config, { logger, onStop }: ServiceContext): Promise<void> {
  const dataSource = createDataSource(config.DATABASE_URL, logger);
  const bus = await connectBus({
    servers: config.NATS_URL,
    name: 'metrics-service',
    inboxPrefix: INBOX_PREFIX.service('metrics-service'),
    credentials: config.BATON_NATS_CREDENTIALS,
    logger,
  });
  const clock = createClock(logger);
  const { app, events, endHttp, healing, reports, live } = await createApp({
    config,
    dataSource,
    bus,
    clock,
    logger,
  });
  const retention = new RetentionService(new RetentionStore(dataSource), logger);
  const stopping = new AbortController();
  const { signal } = stopping;
  const { DATABASE_URL: url } = config;
  const database = openDatabase(
    async () => {
      await migrate(url, logger, signal);
      if (!dataSource.isInitialized) await dataSource.initialize();
    },
    { url, logger, signal },
  );
  const operations = await startOperations({
    port: config.BATON_OPERATIONS_PORT,
    host: config.BATON_OPERATIONS_HOST,
    shutdownDelayMs: config.BATON_SHUTDOWN_DELAY_MS,
    ...healthOf({ dataSource, database, bus, events }),
    logger,
  });
  const started = start();
  onStop(async () => {
    stopping.abort();
    await operations.notReady();
    // What is half started is started first: it stops in the same order then.
    await started.catch(() => undefined);
    endHttp();
    live.stop();
    retention.stop();
    const healed = healing.stop();
    // Pulls no more and waits for what is gathered to be saved and acknowledged.
    await app.close();
    await bus.close();
    await healed;
    if (dataSource.isInitialized) await dataSource.destroy();
    await operations.stop();
  });
  logger.info({ port: operations.port }, 'operations port is open');
  await started;

  async function start(): Promise<void> {
    if (!(await database.opened)) return;
    await followDatabase(clock, () => readTime(dataSource), signal);
    registerPoolFigures(dataSource);
    registerTaskFigures({ store: new TaskFiguresStore(dataSource), reports }, logger);
    await app.startAllMicroservices();
    healing.start();
    retention.start();
    await app.listen(config.BATON_HTTP_PORT, config.BATON_HTTP_HOST);
    if (signal.aborted) return;
    operations.ready();
    logger.info({ http: await app.getUrl() }, 'started');
  }
}

type Parts = {
  readonly config: Config;
  readonly dataSource: DataSource;
  readonly bus: Bus;
  readonly clock: DatabaseClock;
  readonly logger: Logger;
};

async function createApp({ config, dataSource, bus, clock, logger }: Parts) {
  const store = new IngestStore(dataSource);
  const ingest = new IngestService(store, logger, clock);
  const tasks = new TaskServiceClient(bus);
  const capacity = new CapacityService(new CapacityStore(dataSource), tasks);
  const progress = new ProgressStore(dataSource);
  const healing = new HealingService({ tasks, progress, store, capacity, logger });
  const figures = new ReportStore(dataSource);
  const reports = new ReportService(figures);
  const system = new SystemService(figures);
  const live = new LiveService(bus, logger);
  // While it closes, requests that were sent before their client heard of it are served like any other.
  const adapter = new FastifyAdapter({ ...HTTP_PATIENCE, return503OnClosing: false });
  sendSecurityHeaders(adapter.getInstance());
  limitConnections(adapter.getInstance(), config.BATON_HTTP_MAX_CONNECTIONS);
  guardReports(adapter.getInstance(), { tasks, config });
  observeHttp(adapter.getInstance());
  const endHttp = prepareHttpEnd(adapter.getInstance());
  const app = await NestFactory.create<NestFastifyApplication>(
    MetricsModule.with({ ingest, capacity, reports, system, live }),
    adapter,
    { logger: nestLogger(logger) },
  );
  app.useGlobalFilters(new ProblemFilter(logger));
  const events = new JetStreamStrategy(bus, logger, {
    onPoison: (poison) => ingest.giveUp(poison),
    onReset: () => healing.heal(),
  });
  app.connectMicroservice({ strategy: events });
  return { app, events, endHttp, healing, reports, live };
}

/** Reports come from Postgres: without NATS they are only behind, on every replica alike. */
function healthOf(
  parts: Pick<Parts, 'dataSource' | 'bus'> & {
    readonly events: JetStreamStrategy;
    readonly database: OpeningDatabase;
  },
): Health {
  const { dataSource, database, bus, events } = parts;
  return {
    checks: {
      postgres: async () => {
        database.expectOpen();
        await dataSource.query('SELECT 1');
      },
      migrations: () => expectMigrated(dataSource),
    },
    warnings: {
      nats: () => checkNats(bus),
      events: () => {
        if (!events.isConsuming()) throw new Error('the consumer of task events is not being read');
      },
    },
  };
}

async function readTime(dataSource: DataSource): Promise<number> {
  const [row] = await dataSource.query<{ now: Date }[]>('SELECT clock_timestamp() AS now');
  return row?.now.getTime() ?? Number.NaN;
}
