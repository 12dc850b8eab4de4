import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { choosePort, type PortWish } from '../ports.js';
import { startProcess, type RunningProcess } from '../process/start-process.js';
import { startTracked } from '../process/start-tracked.js';
import { StackError } from '../stack-error.js';
import { findAccount, launchAs, type Launch, type PostgresAccount } from './account.js';
import { findPostgresBinaries } from './binaries.js';
import { ensureDatabases, postgresAddresses, type PostgresAddresses } from './databases.js';
import { removeStalePidFile } from './pid-file.js';
import { createSecrets, readSecrets, type PostgresSecrets } from './secrets.js';
import { serverFlags, type Durability } from './server-flags.js';
import { startFailure } from './start-failure.js';

/** Where the embedded Postgres keeps its files and how it runs. */
export interface EmbeddedPostgresOptions {
  /** Holds the data in `data`; owned by the user Postgres runs as. */
  readonly directory: string;
  readonly logFile: string;
  readonly secretsFile: string;
  readonly port?: Pick<PortWish, 'configured' | 'remembered'>;
  readonly durability: Durability;
  readonly report?: (line: string) => void;
  /** Called with each server process before it is waited for. */
  readonly track?: (process: RunningProcess) => Promise<void>;
}

/** A running Postgres of ours. */
export interface EmbeddedPostgres extends PostgresAddresses {
  readonly port: number;
  readonly process: RunningProcess;
  /** Starts the server once more on the same port and data, after it ended; does not wait until it can be used. */
  startAgain(): Promise<RunningProcess>;
}

interface Prepared {
  readonly account: PostgresAccount;
  readonly postgres: string;
  readonly data: string;
  readonly secrets: PostgresSecrets;
}

/** Starts the Postgres that npm installed, creating its data at the first start. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const prepared = await prepare(options);
  await removeStalePidFile(prepared.data, (line) => options.report?.(line));
  // A port that was free may be taken until Postgres listens; any other reason is final.
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort({ ...options.port, name: 'Postgres', variable: 'BATON_POSTGRES_PORT' });
    const server = await startServer(prepared, port, options);
    try {
      const addresses = postgresAddresses(port, prepared.secrets);
      await ensureDatabases(addresses.superuserUrl, prepared.secrets, () => !server.hasExited());
      options.report?.(`Postgres runs on 127.0.0.1:${port} (pid ${server.pid})`);
      const startAgain = async (): Promise<RunningProcess> => {
        await removeStalePidFile(prepared.data, (line) => options.report?.(line));
        return startServer(prepared, port, options);
      };
      return { ...addresses, port, process: server, startAgain };
    } catch (cause) {
      await server.stop();
      const lines = await server.lastLines();
      if (attempt < 3 && lines.includes('Address already in use')) continue;
      throw startFailure(server, { lines, data: prepared.data, cause });
    }
  }
}

async function prepare(options: EmbeddedPostgresOptions): Promise<Prepared> {
  const binaries = await findPostgresBinaries();
  const data = join(options.directory, 'data');
  const account = await findAccount(data, binaries.postgres);
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  if (account.user !== undefined) await chown(options.directory, account.user.uid, account.user.gid);

  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  if (version !== undefined) {
    const secrets = await readSecrets(options.secretsFile);
    if (secrets !== undefined) return { account, postgres: binaries.postgres, data, secrets };
    throw new StackError(
      'STATE_UNUSABLE',
      `${data} holds a database, but its passwords are missing: ${options.secretsFile} does not exist. ` +
        'Put that file back, or run "npm run reset" to start with an empty database.',
    );
  }
  const secrets = await createSecrets(options.secretsFile);
  options.report?.('Creating the Postgres database (first start)');
  await initialise({ account, initdb: binaries.initdb, data, secrets, options });
  return { account, postgres: binaries.postgres, data, secrets };
}

interface Initialisation {
  readonly account: PostgresAccount;
  readonly initdb: string;
  readonly data: string;
  readonly secrets: PostgresSecrets;
  readonly options: EmbeddedPostgresOptions;
}

async function initialise({ account, initdb, data, secrets, options }: Initialisation): Promise<void> {
  // Renamed when complete: a start that was killed halfway must not look like a database.
  const draft = `${data}.new`;
  const passwordFile = join(options.directory, 'password');
  await rm(draft, { recursive: true, force: true });
  await writeFile(passwordFile, secrets.superuser, { mode: 0o600 });
  try {
    if (account.user !== undefined) await chown(passwordFile, account.user.uid, account.user.gid);
    const flags = [`--pgdata=${draft}`, '--username=postgres', `--pwfile=${passwordFile}`];
    flags.push('--auth=scram-sha-256', '--encoding=UTF8', '--locale=C');
    if (options.durability === 'throwaway') flags.push('--no-sync');
    const launch = launchAs(account, initdb, flags);
    const run = await startProcess({ ...processOptions(launch, options), name: 'initdb' });
    const status = await run.exited;
    if (status.code !== 0) throw startFailure(run, { lines: await run.lastLines(), data });
    await rename(draft, data);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

function startServer(
  { account, postgres, data }: Prepared,
  port: number,
  options: EmbeddedPostgresOptions,
): Promise<RunningProcess> {
  const launch = launchAs(account, postgres, ['-D', data, ...serverFlags(port, options.durability)]);
  return startTracked({ ...processOptions(launch, options), name: 'Postgres' }, options.track);
}

function processOptions(launch: Launch, options: EmbeddedPostgresOptions) {
  // Its messages are searched for words, so they must be English; PG* variables are for other servers.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name));
  // SIGINT is Postgres's fast shutdown: clients are cut off, nothing is lost.
  return {
    ...launch,
    environment: { ...Object.fromEntries(inherited), LC_ALL: 'C' },
    directory: options.directory,
    logFile: options.logFile,
    stopSignal: 'SIGINT' as const,
  };
}
