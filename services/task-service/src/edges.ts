import { JetStreamStrategy, RequestReplyStrategy, type PoisonRecord } from '@baton/bus';
import { actionOfSubject, agentOfSubject, LIMITS, type Principal } from '@baton/contracts';
import {
  createRateLimit,
  expectAllowed,
  HTTP_PATIENCE,
  limitConnections,
  nestLogger,
  observeHttp,
  prepareHttpEnd,
  ProblemFilter,
  sendSecurityHeaders,
} from '@baton/runtime';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import type { Config } from './config.js';
import { translateOutage } from './database/pg.errors.js';
import { guardApi } from './http/guard.js';
import { allowLargeBatches } from './http/large-batches.js';
import type { Services } from './services.js';
import { writeAudit } from './write-path/audit.service.js';
import type { AuditEntry } from './write-path/audit.store.js';

/** Where requests and events come in: HTTP, requests over NATS, the streams. */
export type Edges = {
  readonly httpUrl: string;
  /** Whether events are being consumed. */
  isConsuming(): boolean;
  /** Takes nothing new; resolves when what was taken is answered. */
  close(): Promise<void>;
};

/** Opens all of them; rejects when the HTTP port cannot be had. */
export async function openEdges(services: Services, config: Config, logger: Logger): Promise<Edges> {
  const { bus, pools, reconciler } = services;
  const events = new JetStreamStrategy(bus, logger, {
    onReset: () => reconciler.run(),
    onPoison: (record) => writeAudit(pools.other, [poisonEntry(record)]),
  });
  // While it closes, requests that were sent before their client heard of it are served like any other.
  const adapter = new FastifyAdapter({
    bodyLimit: LIMITS.httpBodyBytes,
    ...HTTP_PATIENCE,
    // Such keys are refused by the schemas, which name their place.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    return503OnClosing: false,
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.of(services), adapter, {
    logger: nestLogger(logger),
    // JSON alone, by Fastify's own parser: a form or a text is refused as such, not read as an odd task.
    bodyParser: false,
  });
  adapter.getInstance().removeContentTypeParser('text/plain');
  sendSecurityHeaders(adapter.getInstance());
  limitConnections(adapter.getInstance(), config.BATON_HTTP_MAX_CONNECTIONS);
  guardApi(adapter.getInstance(), {
    access: services.access,
    config,
    onRefusal: (principal, request) => {
      writeAudit(pools.other, [refusalEntry(principal, request)]).catch((error: unknown) =>
        logger.warn({ error: String(error) }, 'a refusal could not be written to the audit log'),
      );
    },
  });
  allowLargeBatches(adapter.getInstance());
  observeHttp(adapter.getInstance());
  const endHttp = prepareHttpEnd(adapter.getInstance());
  app.useGlobalFilters(new ProblemFilter(logger, translateOutage));
  const byAgent = createRateLimit({ name: 'agent', perSecond: config.BATON_RATE_AGENT });
  app.connectMicroservice({
    strategy: new RequestReplyStrategy(bus, logger, {
      translate: translateOutage,
      expectSubject: actionOfSubject,
      admit: (subject) => {
        if (subject.startsWith('agent.')) expectAllowed(byAgent.take(agentOfSubject(subject)));
      },
    }),
  });
  app.connectMicroservice({ strategy: events });
  await app.startAllMicroservices();
  await app.listen(config.BATON_HTTP_PORT, config.BATON_HTTP_HOST);
  return {
    httpUrl: await app.getUrl(),
    isConsuming: () => events.isConsuming(),
    close: () => {
      endHttp();
      return app.close();
    },
  };
}

function refusalEntry({ actor, role }: Principal, { method, routeOptions }: FastifyRequest): AuditEntry {
  const subject = `${method} ${routeOptions.url}`;
  return { actor, action: 'access.refused', subject, code: 'FORBIDDEN', detail: { role } };
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
