import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { startNatsServer, type NatsAccess, type NatsServer } from '@baton/stack';

import { testRun } from './run/test-run.js';

/** Where a nats-server of a test keeps its files. */
export interface TestNatsOptions {
  /** Removed at the end; a new one of the run when left out. */
  readonly directory?: string;
  /** `nats-server.log` in the directory when left out. */
  readonly logFile?: string;
}

/** A nats-server with JetStream of its own for a test file. */
export interface TestNats {
  /** Stays the same over a restart. */
  readonly url: string;
  readonly port: number;
  /** The ways in: of services, agents, and of a test that may do everything in the services' account. */
  readonly access: NatsAccess;
  /** Stops the server; clients see a lost connection. */
  stop(): Promise<void>;
  /** Kills the server without warning. */
  kill(): Promise<void>;
  /**
   * Starts it again on the same port, with what its streams held, with an empty store, or with the store as
   * it was when `saveStore` was last called: what a machine that lost its unsynced writes comes back with.
   */
  restart(store: 'kept' | 'emptied' | 'saved'): Promise<void>;
  /** Copies the store of the stopped server aside. */
  saveStore(): Promise<void>;
  /** Stops it for good and removes its files. */
  close(): Promise<void>;
}

/** Starts a nats-server on a free port, which takes some 50 ms. */
export async function startNats(options: TestNatsOptions = {}): Promise<TestNats> {
  const { directory: parent, natsServer: program } = testRun();
  const directory = options.directory ?? (await mkdtemp(join(parent, 'nats-')));
  const start = (port?: number): Promise<NatsServer> =>
    startNatsServer({
      program,
      directory,
      logFile: options.logFile ?? join(directory, 'nats-server.log'),
      durability: 'throwaway',
      ...(port !== undefined && { port: { configured: port } }),
    });
  const store = join(directory, 'jetstream');
  const saved = join(directory, 'saved-jetstream');
  let server = await start();
  const stop = async (): Promise<void> => {
    await server.process.stop();
  };
  return {
    url: server.url,
    port: server.port,
    access: server.access,
    stop,
    kill: async () => {
      server.process.signal('SIGKILL');
      await server.process.exited;
    },
    restart: async (which) => {
      await stop();
      if (which !== 'kept') await rm(store, { recursive: true, force: true });
      if (which === 'saved') await cp(saved, store, { recursive: true });
      server = await start(server.port);
    },
    saveStore: async () => {
      await rm(saved, { recursive: true, force: true });
      await cp(store, saved, { recursive: true });
    },
    close: async () => {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
