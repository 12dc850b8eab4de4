import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { startEmbeddedPostgres, type EmbeddedPostgres } from '@baton/stack';

import { testRun } from './run/test-run.js';

const run = promisify(execFile);

/** Where a Postgres of a test keeps its files. */
export interface TestPostgresOptions {
  /** Removed at the end; a new one of the run when left out. */
  readonly directory?: string;
  /** `postgres.log` in the directory when left out. */
  readonly logFile?: string;
}

/** A Postgres of its own for a test that takes it away. Its addresses stay the same over a restart. */
export interface TestPostgres extends Pick<EmbeddedPostgres, 'url' | 'metricsUrl' | 'superuserUrl' | 'port'> {
  /** Stops it at once, as a crash of the server does: nothing is written out, all connections are cut. */
  crash(): Promise<void>;
  /** Starts it again after `crash`; resolves when it accepts connections. */
  start(): Promise<void>;
  /** Freezes the server and all its backends: connections stay open and nobody answers. */
  pause(): Promise<void>;
  /** Lets it go on after `pause`. */
  resume(): Promise<void>;
  /** Stops it for good and removes its files. */
  close(): Promise<void>;
}

/**
 * Starts a Postgres on a free port that keeps every commit through a crash, as one in earnest does;
 * takes a second or two, so take `createTestDatabase` where the server itself does not matter.
 */
export async function startPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const directory = options.directory ?? (await mkdtemp(join(testRun().directory, 'postgres-')));
  const start = (port?: number): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      directory,
      logFile: options.logFile ?? join(directory, 'postgres.log'),
      secretsFile: join(directory, 'secrets.json'),
      durability: 'durable',
      ...(port !== undefined && { port: { configured: port } }),
    });
  let server = await start();
  const { url, metricsUrl, superuserUrl, port } = server;
  const signalAll = async (signal: NodeJS.Signals): Promise<void> => {
    // The postmaster first: one that is stopped starts no backends, one that goes on may need some.
    server.process.signal(signal);
    for (const child of await childrenOf(server.process.pid)) signalIfAlive(child, signal);
  };
  return {
    url,
    metricsUrl,
    superuserUrl,
    port,
    crash: async () => {
      // Immediate shutdown. SIGKILL would leave backends that hold the shared memory for a while.
      server.process.signal('SIGQUIT');
      await server.process.exited;
    },
    start: async () => {
      server = await start(port);
    },
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    close: async () => {
      await signalAll('SIGCONT');
      await server.process.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []));
}

function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between being listed and now.
  }
}
