import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkoutState,
  findFreePort,
  findNatsServer,
  openNatsAccess,
  startNatsServer,
  type NatsAccess,
} from '@baton/stack';

/** A nats-server that can be made to stand still. */
export type Broker = {
  readonly url: string;
  readonly access: NatsAccess;
  pause(): void;
  goOn(): void;
  close(): Promise<void>;
};

/** What is known of a broker before it is there. */
export type BrokerPlan = {
  readonly directory: string;
  readonly port: number;
  readonly url: string;
  readonly access: NatsAccess;
};

/** Makes the keys of a broker that is started later. */
export async function planBroker(): Promise<BrokerPlan> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-broker-'));
  const port = await findFreePort();
  return { directory, port, url: `nats://127.0.0.1:${port}`, access: await openNatsAccess(directory) };
}

/** Starts a nats-server of its own for a test. */
export async function startBroker(plan?: BrokerPlan): Promise<Broker> {
  const { directory, port } = plan ?? (await planBroker());
  const program = await findNatsServer({
    environment: process.env,
    binaries: join(checkoutState, 'bin'),
    report: () => {},
  });
  const server = await startNatsServer({
    program: program.path,
    directory,
    logFile: join(directory, 'nats-server.log'),
    durability: 'throwaway',
    port: { configured: port },
  });
  return {
    url: server.url,
    access: server.access,
    pause: () => server.process.signal('SIGSTOP'),
    goOn: () => server.process.signal('SIGCONT'),
    close: async () => {
      server.process.signal('SIGCONT');
      await server.process.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
