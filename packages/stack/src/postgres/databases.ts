import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Client } from 'pg';

import { checkoutDirectory } from '../checkout.js';
import type { PostgresSecrets } from './secrets.js';

const databaseName = 'baton';
const metricsRole = 'baton_metrics';
/** Shared with the Postgres of docker-compose.yml. */
const rolesFile = join(checkoutDirectory, 'deploy/postgres/roles.sql');

/** The addresses of one embedded Postgres, with passwords. */
export interface PostgresAddresses {
  /** Database `baton` as its owner `baton`. */
  readonly url: string;
  /** Database `baton` as `baton_metrics`, which owns the schema `metrics` and sees nothing else. */
  readonly metricsUrl: string;
  /** Database `postgres` as the superuser. */
  readonly superuserUrl: string;
}

/** The addresses that belong to a port. */
export function postgresAddresses(port: number, secrets: PostgresSecrets): PostgresAddresses {
  const address = (user: string, password: string, database: string): string =>
    `postgresql://${user}:${password}@127.0.0.1:${port}/${database}`;
  return {
    url: address(databaseName, secrets.owner, databaseName),
    metricsUrl: address(metricsRole, secrets.metrics, databaseName),
    superuserUrl: address('postgres', secrets.superuser, 'postgres'),
  };
}

/**
 * Creates the database, its owner and the role and schema of metrics-service unless they are there.
 * Waits for a server that is still starting, for as long as `isServerAlive` and at most 2 minutes.
 */
export async function ensureDatabases(
  superuserUrl: string,
  secrets: PostgresSecrets,
  isServerAlive: () => boolean,
): Promise<void> {
  const isComplete = await withClient({ url: superuserUrl, isServerAlive }, async (client) => {
    // The roles are made last and in one transaction, so a start killed halfway is made good by the next one.
    const roles = await client.query('select from pg_roles where rolname = $1', [metricsRole]);
    if (roles.rowCount === 1) return true;
    const databases = await client.query('select from pg_database where datname = $1', [databaseName]);
    if (databases.rowCount === 0) await client.query(`create database ${databaseName}`);
    return false;
  });
  if (isComplete) return;
  const statements = await readFile(rolesFile, 'utf8');
  const inDatabase = new URL(superuserUrl);
  inDatabase.pathname = databaseName;
  await withClient({ url: inDatabase.href, isServerAlive }, async (client) => {
    const settings = `set_config('baton.owner_password', $1, false), set_config('baton.metrics_password', $2, false)`;
    await client.query(`select ${settings}`, [secrets.owner, secrets.metrics]);
    // Sent as one text, which Postgres runs as one transaction.
    await client.query(statements);
  });
}

interface Server {
  readonly url: string;
  readonly isServerAlive: () => boolean;
}

async function withClient<Answer>(
  server: Server,
  work: (client: Client) => Promise<Answer>,
): Promise<Answer> {
  const client = await connectWhenUp(server);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function connectWhenUp({ url, isServerAlive }: Server): Promise<Client> {
  // Recovery after a crash replays up to max_wal_size of log before it lets anyone in.
  const end = performance.now() + 120_000;
  for (;;) {
    const client = new Client({ connectionString: url, application_name: 'baton-stack' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (cause) {
      await client.end().catch(() => undefined);
      const { code } = cause as { readonly code?: string };
      // 57P03: the server is starting up, perhaps recovering after a crash.
      const starting = code === 'ECONNREFUSED' || code === '57P03';
      if (!starting || !isServerAlive() || performance.now() > end) throw cause;
      await delay(25);
    }
  }
}
