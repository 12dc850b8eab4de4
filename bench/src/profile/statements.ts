import pg from 'pg';

/** What a statement of Postgres cost, in all its executions together. */
export type StatementCost = {
  readonly statement: string;
  readonly calls: number;
  readonly rows: number;
  readonly executionMs: number;
  readonly planningMs: number;
  readonly walBytes: number;
};

/** Has Postgres count statements from its next start on. */
export async function enableStatements(superuserUrl: string): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    await client.query(`ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'`);
    await client.query('ALTER SYSTEM SET pg_stat_statements.track_planning = on');
    await client.query('CREATE EXTENSION pg_stat_statements');
  });
}

/** Forgets what was counted so far. */
export async function resetStatements(superuserUrl: string): Promise<void> {
  await withClient(superuserUrl, (client) => client.query('SELECT pg_stat_statements_reset()'));
}

/** The statements that took longest together, the longest first. Times are elapsed times, waiting included. */
export async function topStatements(superuserUrl: string, limit: number): Promise<readonly StatementCost[]> {
  const { rows } = await withClient(superuserUrl, (client) =>
    client.query<StatementCost>(
      `SELECT regexp_replace(query, '\\s+', ' ', 'g') AS statement, calls::float8 AS calls, rows::float8 AS rows,
         total_exec_time AS "executionMs", total_plan_time AS "planningMs", wal_bytes::float8 AS "walBytes"
       FROM pg_stat_statements ORDER BY total_exec_time + total_plan_time DESC LIMIT $1`,
      [limit],
    ),
  );
  return rows;
}

async function withClient<Answer>(
  url: string,
  work: (client: pg.Client) => Promise<Answer>,
): Promise<Answer> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
