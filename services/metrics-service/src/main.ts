import 'reflect-metadata';
import { connectBus, JetStreamStrategy, type Bus } from '@baton/bus';
import { INBOX_PREFIX } from '@baton/contracts';
import {
  createLogger,
  nestLogger,
  ProblemFilter,
  readConfig,
  runMain,
  runUntilSignal,
  startOperations,
} from '@baton/runtime';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import type { DataSource } from 'typeorm';
import { configSchema } from './config.js';
import { createDataSource, openDatabase } from './database/data-source.js';
import { IngestService } from './ingest/ingest.service.js';
import { IngestStore } from './ingest/ingest.store.js';
import { MetricsModule } from './metrics.module.js';
import { registerTaskFigures } from './prometheus/task-figures.js';
import { TaskFiguresStore } from './prometheus/task-figures.store.js';
import { ReportService } from './reports/report.service.js';
import { ReportStore } from './reports/report.store.js';

const SERVICE = 'metrics-service';

runMain(main);

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const logger = createLogger(SERVICE, config.BATON_LOG_LEVEL);
  const dataSource = createDataSource(config.DATABASE_URL, logger);
  const bus = await connectBus({
    servers: config.NATS_URL,
    name: SERVICE,
    inboxPrefix: INBOX_PREFIX.service(SERVICE),
    logger,
  });
  const parts = { dataSource, bus, logger };
  const { app, events } = await createApp(parts);
  const operations = await startOperations({
    port: config.BATON_OPERATIONS_PORT,
    host: config.BATON_HTTP_HOST,
    checks: readinessChecks({ dataSource, bus, events }),
    logger,
  });
  const starting = new AbortController();
  runUntilSignal(
    async () => {
      operations.notReady();
      starting.abort();
      // Pulls no more and waits for what is gathered to be saved and acknowledged.
      await app.close();
      await bus.close();
      if (dataSource.isInitialized) await dataSource.destroy();
      await operations.stop();
    },
    { logger },
  );
  logger.info({ port: operations.port }, 'operations port is open');
  if (!(await openDatabase(dataSource, { logger, signal: starting.signal }))) return;
  registerTaskFigures(new TaskFiguresStore(dataSource), logger);
  await app.startAllMicroservices();
  await app.listen(config.BATON_HTTP_PORT, config.BATON_HTTP_HOST);
  operations.ready();
  logger.info({ http: await app.getUrl() }, 'started');
}

type Parts = { readonly dataSource: DataSource; readonly bus: Bus; readonly logger: Logger };

async function createApp({ dataSource, bus, logger }: Parts) {
  const ingest = new IngestService(new IngestStore(dataSource), logger);
  const reports = new ReportService(new ReportStore(dataSource));
  const app = await NestFactory.create<NestFastifyApplication>(
    MetricsModule.with({ ingest, reports }),
    new FastifyAdapter(),
    { logger: nestLogger(logger) },
  );
  app.useGlobalFilters(new ProblemFilter(logger));
  const events = new JetStreamStrategy(bus, logger, { onPoison: (poison) => ingest.giveUp(poison) });
  app.connectMicroservice({ strategy: events });
  return { app, events };
}

function readinessChecks(parts: Omit<Parts, 'logger'> & { readonly events: JetStreamStrategy }) {
  const { dataSource, bus, events } = parts;
  return {
    postgres: async () => {
      await dataSource.query('SELECT 1');
    },
    nats: async () => {
      if (!bus.isConnected()) throw new Error('not connected');
    },
    events: async () => {
      if (!events.isConsuming()) throw new Error('the consumer of task events is not being read');
    },
  };
}
