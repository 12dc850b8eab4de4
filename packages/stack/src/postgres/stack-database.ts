import { access } from 'node:fs/promises';
import { join } from 'node:path';

import { portFromEnvironment } from '../ports.js';
import { StackError } from '../stack-error.js';
import { readJson } from '../state/json-file.js';
import { takeRunRecord, type RunRecord } from '../state/run-record.js';
import { stateDirectory, type StateDirectory } from '../state/state-directory.js';
import { postgresAddresses } from './databases.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { readSecrets } from './secrets.js';

interface StackDatabaseOptions {
  /** The state directory of the stack. */
  readonly directory: string;
  readonly report: (line: string) => void;
}

type Addresses = Pick<ReturnType<typeof postgresAddresses>, 'url' | 'metricsUrl'>;

/**
 * Runs `use` with the addresses of the embedded database of a stack: the one that runs, or one started for that time.
 * Rejects with a StackError when there has been no start yet.
 */
export async function withStackDatabase<T>(
  { directory, report }: StackDatabaseOptions,
  use: (addresses: Addresses) => Promise<T>,
): Promise<T> {
  const state = stateDirectory(directory);
  const secrets = await readSecrets(state.secretsFile);
  const isThere = await access(join(state.postgres, 'data')).then(
    () => true,
    () => false,
  );
  if (secrets === undefined || !isThere) {
    const message = `${state.path} holds no database yet: run "npm start" first, or set DATABASE_URL to another one.`;
    throw new StackError('STATE_UNUSABLE', message);
  }
  const ports = await readJson<{ readonly postgres?: number }>(state.portsFile);
  const record = await takeRunRecord(state.runFile, report).catch((cause: unknown) => {
    if (cause instanceof StackError && cause.code === 'ALREADY_RUNNING') return undefined;
    throw cause;
  });
  if (record === undefined) return use(postgresAddresses(ports?.postgres ?? 0, secrets));
  try {
    return await startFor(state, record, ports?.postgres, report, use);
  } finally {
    await record.release();
  }
}

async function startFor<T>(
  state: StateDirectory,
  record: RunRecord,
  remembered: number | undefined,
  report: (line: string) => void,
  use: (addresses: Addresses) => Promise<T>,
): Promise<T> {
  const server = await startEmbeddedPostgres({
    directory: state.postgres,
    logFile: join(state.logs, 'postgres.log'),
    secretsFile: state.secretsFile,
    port: { configured: portFromEnvironment(process.env, 'BATON_POSTGRES_PORT'), remembered },
    durability: 'durable',
    report,
    track: record.track,
  });
  try {
    return await use(server);
  } finally {
    await server.process.stop({ deadlineMs: 60_000 });
  }
}
