import { checkNats, connectBus, JetStreamStrategy, RequestReplyStrategy, type Bus } from '@baton/bus';
import { actionOfSubject, INBOX_PREFIX } from '@baton/contracts';
import { nestLogger, startOperations, type ServiceContext } from '@baton/runtime';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { distributionModule } from './distribution.module.js';
import { SnapshotService } from './fleet/snapshot.service.js';
import { LeaseService } from './shards/lease.service.js';

const NAME = 'distribution-service';

export type DistributionOptions = {
  readonly nats: {
    readonly servers: string;
    readonly credentials?: string | undefined;
    /** A user of the agents' account, for the own beat. */
    readonly probeCredentials?: string | undefined;
  };
  readonly operations: { readonly host: string; readonly port: number; readonly shutdownDelayMs?: number };
  readonly logger: Logger;
  /** Told how to stop as soon as there is something to stop, before the start is complete. */
  readonly onStop?: ServiceContext['onStop'];
};

export type Distribution = {
  readonly operationsPort: number;
  /** Takes nothing new, waits for what is in work, gives its shards back, closes the connection. Safe to call twice. */
  stop(): Promise<void>;
};

/** Starts the service. It comes up while NATS or task-service are down, and is ready once both were reached. */
export async function startDistribution(options: DistributionOptions): Promise<Distribution> {
  const { logger } = options;
  const bus = await connectBus({
    servers: options.nats.servers,
    name: NAME,
    inboxPrefix: INBOX_PREFIX.service(NAME),
    credentials: options.nats.credentials,
    logger,
  });
  const probe = await connectProbe(options, bus);
  const module = distributionModule({ bus, probe, logger });
  // Two strategies make this a hybrid application, for which Nest wants an HTTP adapter; it never listens.
  const app = await NestFactory.create(module, new FastifyAdapter(), { logger: nestLogger(logger) });
  const events = new JetStreamStrategy(bus, logger);
  app.connectMicroservice({ strategy: events });
  app.connectMicroservice({
    strategy: new RequestReplyStrategy(bus, logger, { expectSubject: actionOfSubject }),
  });
  const snapshots = app.get(SnapshotService);
  const leases = app.get(LeaseService);
  const operations = await startOperations({
    ...options.operations,
    logger,
    checks: {
      nats: () => checkNats(bus),
      fleet: () => expectThat(snapshots.isComplete, 'no snapshot of the fleet yet'),
      shards: () => expectThat(leases.isHolding(), 'no lease of shards: task-service did not answer'),
      events: () => expectThat(events.isConsuming(), 'the consumer of task events is not being read'),
    },
  });
  const started = start();
  let stopped: Promise<void> | undefined;
  const stopOnce = () => (stopped ??= stop());
  options.onStop?.(stopOnce);
  await started;
  return { operationsPort: operations.port, stop: stopOnce };

  async function start(): Promise<void> {
    await app.init();
    await app.startAllMicroservices();
    operations.ready();
    logger.info({ operationsPort: operations.port }, 'distribution-service started');
  }

  async function stop(): Promise<void> {
    await operations.notReady();
    // What is half started is started first: it may hold leases already.
    await started.catch(() => undefined);
    await app.close();
    // After the last proposal: others may decide about these agents from here on.
    await leases.leave();
    await probe.close();
    await bus.close();
    await operations.stop();
  }
}

/** Whose beats come back only while those of agents do: a connection of the agents' account, if there is one. */
async function connectProbe({ nats, logger }: DistributionOptions, bus: Bus): Promise<Bus> {
  if (nats.probeCredentials === undefined) return bus;
  return connectBus({
    servers: nats.servers,
    name: `${NAME} probe`,
    inboxPrefix: INBOX_PREFIX.service(NAME),
    credentials: nats.probeCredentials,
    logger,
  });
}

function expectThat(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}
