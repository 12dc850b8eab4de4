import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { startNatsServer, type NatsServer } from '@baton/stack';

import { testRun } from './run/test-run.js';

/** A nats-server with JetStream of its own for a test file. */
export interface TestNats {
  /** Stays the same over a restart. */
  readonly url: string;
  readonly port: number;
  /** Stops the server; clients see a lost connection. */
  stop(): Promise<void>;
  /** Kills the server without warning. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what its streams held or with an empty store. */
  restart(store: 'kept' | 'emptied'): Promise<void>;
  /** Stops it for good and removes its files. */
  close(): Promise<void>;
}

/** Starts a nats-server on a free port, which takes some 50 ms. */
export async function startNats(): Promise<TestNats> {
  const { directory: parent, natsServer: program } = testRun();
  const directory = await mkdtemp(join(parent, 'nats-'));
  const start = (port?: number): Promise<NatsServer> =>
    startNatsServer({
      program,
      directory,
      logFile: join(directory, 'nats-server.log'),
      durability: 'throwaway',
      ...(port !== undefined && { port: { configured: port } }),
    });
  let server = await start();
  const stop = async (): Promise<void> => {
    await server.process.stop();
  };
  return {
    url: server.url,
    port: server.port,
    stop,
    kill: async () => {
      server.process.signal('SIGKILL');
      await server.process.exited;
    },
    restart: async (store) => {
      await stop();
      if (store === 'emptied') await rm(join(directory, 'jetstream'), { recursive: true, force: true });
      server = await start(server.port);
    },
    close: async () => {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
