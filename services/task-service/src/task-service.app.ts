import { JetStreamStrategy, RequestReplyStrategy, type PoisonRecord } from '@baton/bus';
import { LIMITS } from '@baton/contracts';
import { nestLogger, prepareHttpEnd, ProblemFilter, startOperations } from '@baton/runtime';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import type { Config } from './config.js';
import { migrate } from './database/migrate.js';
import { translateOutage } from './database/pg.errors.js';
import { healthOf } from './health.js';
import { observe } from './observe.js';
import { createServices, openDataSource, type Services } from './services.js';
import { writeAudit } from './write-path/audit.service.js';
import type { AuditEntry } from './write-path/audit.store.js';

/** A running task-service. */
export type TaskServiceApp = {
  readonly httpUrl: string;
  readonly operationsPort: number;
  stop(): Promise<void>;
};

/** Migrates, connects and opens the edges; NATS may be down, the database must not be. */
export async function startTaskService(config: Config, logger: Logger): Promise<TaskServiceApp> {
  const dataSource = await openDataSource(config);
  const migrations = await migrate(dataSource);
  if (migrations.length > 0) logger.info({ migrations }, 'migrated');
  const services = await createServices(config, dataSource, logger);
  const { bus, pool, outbox, inbox, reconciler, loops } = services;

  const events = new JetStreamStrategy(bus, logger, {
    onReset: () => reconciler.run(),
    onPoison: (record) => writeAudit(pool, [poisonEntry(record)]),
  });
  const requests = new RequestReplyStrategy(bus, logger, { translate: translateOutage });
  // While it closes, requests that were sent before their client heard of it are served like any other.
  const adapter = new FastifyAdapter({ bodyLimit: LIMITS.httpBodyBytes, return503OnClosing: false });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.of(services), adapter, {
    logger: nestLogger(logger),
    // JSON alone, by Fastify's own parser: a form or a text is refused as such, not read as an odd task.
    bodyParser: false,
  });
  adapter.getInstance().removeContentTypeParser('text/plain');
  const endHttp = prepareHttpEnd(adapter.getInstance());
  app.useGlobalFilters(new ProblemFilter(logger, translateOutage));
  app.connectMicroservice({ strategy: requests });
  app.connectMicroservice({ strategy: events });
  const operations = await startOperations({
    host: config.BATON_HTTP_HOST,
    port: config.BATON_OPERATIONS_PORT,
    shutdownDelayMs: config.BATON_SHUTDOWN_DELAY_MS,
    ...healthOf(services, events),
    logger,
  });
  observe(services);
  await app.startAllMicroservices();
  await app.listen(config.BATON_HTTP_PORT, config.BATON_HTTP_HOST);
  outbox.start();
  inbox.start();
  for (const loop of loops) loop.start();
  void reconciler.run();
  operations.ready();
  const httpUrl = await app.getUrl();
  logger.info({ http: httpUrl, operations: operations.port, lanes: config.BATON_LANES }, 'ready');

  return {
    httpUrl,
    operationsPort: operations.port,
    async stop() {
      await operations.notReady();
      endHttp();
      // The edges take nothing new and answer what they took; nothing begins by itself any more.
      await Promise.all([app.close(), ...loops.map((loop) => loop.stop())]);
      await stopServices(services);
      await operations.stop();
    },
  };
}

/** From what causes commits to what follows from them: each step ends what the one before may still have begun. */
async function stopServices(services: Services): Promise<void> {
  const { sessions, writePath, offers, inbox, outbox, bus, pool, lanePool, tidyPool, dataSource } = services;
  await sessions.stop();
  await writePath.drain();
  await offers.stop();
  // What agents rejected meanwhile was submitted.
  await writePath.drain();
  await Promise.all([inbox.stop(), outbox.stop()]);
  await bus.close();
  await Promise.all([pool.end(), lanePool.end(), tidyPool.end(), dataSource.destroy()]);
}

function poisonEntry({ stream, durable, subject, reason, payload, ...position }: PoisonRecord): AuditEntry {
  const detail = { durable, subject, payload, ...position };
  return {
    actor: 'service:task',
    action: 'event.refused',
    subject: stream,
    code: reason.slice(0, 255),
    detail,
  };
}
