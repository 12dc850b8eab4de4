import { setTimeout as delay } from 'node:timers/promises';

import { Client } from 'pg';

import type { PostgresSecrets } from './secrets.js';

const databaseName = 'baton';
const metricsRole = 'baton_metrics';

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
 * Creates the database, its owner and the role and schema of metrics-service as far as they are missing.
 * Waits for a server that is still starting, for as long as `isServerAlive` and at most 2 minutes.
 */
export async function ensureDatabases(
  superuserUrl: string,
  secrets: PostgresSecrets,
  isServerAlive: () => boolean,
): Promise<void> {
  const complete = await withClient({ url: superuserUrl, isServerAlive }, async (client) => {
    await ensureRole(client, databaseName, secrets.owner);
    await ensureRole(client, metricsRole, secrets.metrics);
    const found = await client.query('select from pg_database where datname = $1', [databaseName]);
    if (found.rowCount === 0) await client.query(`create database ${databaseName} owner ${databaseName}`);
    // The marker is set last, so that a start killed halfway is made good by the next one.
    const marked = await client.query(
      `select from pg_shdescription where objoid = $1::regrole and description = 'ready'`,
      [metricsRole],
    );
    return marked.rowCount === 1;
  });
  if (complete) return;
  const inDatabase = new URL(superuserUrl);
  inDatabase.pathname = databaseName;
  await withClient({ url: inDatabase.href, isServerAlive }, async (client) => {
    // "create schema if not exists", with which a service begins, asks for this right even if it exists.
    await client.query(`grant create on database ${databaseName} to ${metricsRole}`);
    await client.query(`create schema if not exists metrics authorization ${metricsRole}`);
    await client.query(`alter role ${metricsRole} set search_path = metrics`);
    await client.query(`comment on role ${metricsRole} is 'ready'`);
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

async function ensureRole(client: Client, role: string, password: string): Promise<void> {
  const found = await client.query('select from pg_roles where rolname = $1', [role]);
  const literal = client.escapeLiteral(password);
  if (found.rowCount === 0) await client.query(`create role ${role} login password ${literal}`);
}
