import { Client } from 'pg';

import { until } from './until.js';

interface Connection {
  readonly application_name: string;
  readonly state: string | null;
  readonly query: string;
}

/**
 * Rejects when somebody is still connected to the database after 1 s, with what each connection did
 * last. A pool or query runner that was not released shows up here.
 */
export async function assertNoConnections(url: string): Promise<void> {
  const { name, server } = splitUrl(url);
  const client = new Client({ connectionString: server });
  await client.connect();
  let left: readonly Connection[] = [];
  const isFree = async (): Promise<boolean> => {
    const { rows } = await client.query<Connection>(
      `select application_name, state, query from pg_stat_activity
       where datname = $1 and backend_type = 'client backend'`,
      [name],
    );
    left = rows;
    return left.length === 0;
  };
  try {
    await until(isFree, {
      timeoutMs: 1_000,
      describe: () => `connections to ${name} were left open: ${JSON.stringify(left)}`,
    });
  } finally {
    await client.end();
  }
}

function splitUrl(url: string): { readonly name: string; readonly server: string } {
  const server = new URL(url);
  const name = server.pathname.slice(1);
  server.pathname = 'postgres';
  return { name, server: server.href };
}
