import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkoutState, findNatsServer, startNatsServer } from '@baton/stack';

/** A nats-server that can be made to stand still. */
export type Broker = {
  readonly url: string;
  pause(): void;
  goOn(): void;
  close(): Promise<void>;
};

/** Starts a nats-server of its own for a test, on a free port unless one is named. */
export async function startBroker(port?: number): Promise<Broker> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-broker-'));
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
    ...(port === undefined ? {} : { port: { configured: port } }),
  });
  return {
    url: server.url,
    pause: () => server.process.signal('SIGSTOP'),
    goOn: () => server.process.signal('SIGCONT'),
    close: async () => {
      server.process.signal('SIGCONT');
      await server.process.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
