import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { Durability } from '../postgres/server-flags.js';
import { choosePort, type PortWish } from '../ports.js';
import type { RunningProcess } from '../process/start-process.js';
import { startTracked } from '../process/start-tracked.js';
import { StackError } from '../stack-error.js';
import { waitFor } from '../wait.js';
import { openNatsAccess, type NatsAccess } from './access.js';
import { readServerInfo } from './own-nats.js';
import { natsServerConfig } from './server-config.js';

const run = promisify(execFile);

/** Which nats-server to start and where it keeps its files. */
export interface NatsServerOptions {
  /** The program, as `findNatsServer` gives it. */
  readonly program: string;
  /** Holds the configuration, the keys and credentials of its accounts, and the JetStream store. */
  readonly directory: string;
  readonly logFile: string;
  readonly port?: Pick<PortWish, 'configured' | 'remembered'>;
  readonly durability: Durability;
  readonly report?: (line: string) => void;
  /** Called with each server process before it is waited for. */
  readonly track?: (process: RunningProcess) => Promise<void>;
}

/** A running nats-server of ours. */
export interface NatsServer {
  readonly url: string;
  readonly port: number;
  readonly access: NatsAccess;
  readonly process: RunningProcess;
  /** Starts the server once more on the same port and store, after it ended; does not wait until it can be used. */
  startAgain(): Promise<RunningProcess>;
}

/** Starts a nats-server with JetStream on 127.0.0.1 and waits until it accepts clients. */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const { program, directory, report } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const access = await openNatsAccess(directory);
  // A port that was free may be taken until the server listens; any other reason is final.
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort({ ...options.port, name: 'nats-server', variable: 'BATON_NATS_PORT' });
    const config = join(directory, 'nats-server.conf');
    const storeDirectory = join(directory, 'jetstream');
    await writeFile(
      config,
      natsServerConfig({ port, storeDirectory, durability: options.durability, accounts: access.accounts }),
    );
    await checkConfig(program, config);
    const { logFile, track } = options;
    const serverProcess = { name: 'nats-server', command: program, arguments: ['--config', config] };
    const startServer = () => startTracked({ ...serverProcess, directory, logFile }, track);
    const server = await startServer();
    const failure = await failureToStart(server, port);
    if (failure === undefined) {
      report?.(`nats-server runs on 127.0.0.1:${port} (pid ${server.pid})`);
      return { url: `nats://127.0.0.1:${port}`, port, access, process: server, startAgain: startServer };
    }
    if (attempt === 3 || !failure.includes('address already in use')) throw startFailure(server, failure);
  }
}

async function checkConfig(program: string, config: string): Promise<void> {
  await run(program, ['-t', '--config', config]).catch((cause: Error & { readonly stderr?: string }) => {
    throw new StackError(
      'NATS_START_FAILED',
      `${program} does not accept the configuration ${config}: ${cause.stderr ?? cause.message}. ` +
        'Set NATS_SERVER_BIN to an original nats-server 2.10 or later.',
      { cause },
    );
  });
}

/** Waits until the server greets a client; what it wrote when it ended instead or took over 30 s. */
async function failureToStart(server: RunningProcess, port: number): Promise<string | undefined> {
  const outcome = await waitFor(
    async () => {
      if (server.hasExited()) return 'ended';
      const info = await readServerInfo('127.0.0.1', port).catch(() => undefined);
      return info?.jetstream === true ? 'ready' : undefined;
    },
    { deadlineMs: 30_000, intervalMs: 10 },
  );
  // Another server that took the port just before may have answered in place of ours.
  if (outcome === 'ready' && !server.hasExited()) return undefined;
  await server.stop();
  return server.lastLines();
}

function startFailure(server: RunningProcess, lines: string): StackError {
  return new StackError(
    'NATS_START_FAILED',
    `nats-server did not start. It wrote:\n${lines}\nThe whole log is ${server.logFile}. ` +
      'If its store is damaged, "npm run reset" removes it; NATS_URL switches to a server of your own.',
  );
}
