import { randomBytes } from 'node:crypto';

import { Client } from 'pg';

import { assertNoConnections } from './leaks.js';
import { testRun } from './run/test-run.js';

/** Which schema a test database starts with; empty when left out. */
export interface TestDatabaseOptions {
  /** Names the schema: databases with the same one share its template. */
  readonly schema?: string;
  /** Builds the schema in an empty database, once in a run; must close its connections. */
  readonly migrate?: (url: string) => Promise<void>;
}

/** A database of its own for a test file. */
export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  /** Drops it; rejects when the code under test has left connections open. */
  close(): Promise<void>;
}

/** Creates a database as a copy of a template, which takes some 30 ms. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const { schema, migrate } = options;
  const name = `test_${randomBytes(6).toString('hex')}`;
  const url = databaseUrl(name);
  await asSuperuser(async (client) => {
    const template = schema !== undefined && migrate && (await ensureTemplate(client, schema, migrate));
    await client.query(`create database ${name}${template ? ` template ${template}` : ''}`);
  });
  const close = async (): Promise<void> => {
    try {
      await assertNoConnections(url);
    } finally {
      await asSuperuser((client) => client.query(`drop database ${name} with (force)`));
    }
  };
  return { name, url, close };
}

/** Builds the template unless another test file of the run has; returns its name, quoted. */
async function ensureTemplate(
  client: Client,
  schema: string,
  migrate: (url: string) => Promise<void>,
): Promise<string> {
  const name = `template_${schema}`;
  const quoted = client.escapeIdentifier(name);
  // Test files run side by side; the first builds, the others wait here.
  await client.query('select pg_advisory_lock(hashtext($1))', [name]);
  try {
    const found = await client.query('select from pg_database where datname = $1 and datistemplate', [name]);
    if (found.rowCount === 1) return quoted;
    await client.query(`drop database if exists ${quoted} with (force)`);
    await client.query(`create database ${quoted}`);
    await migrate(databaseUrl(name));
    await assertNoConnections(databaseUrl(name));
    // A database with connections cannot be copied.
    await client.query(`alter database ${quoted} with is_template true allow_connections false`);
    return quoted;
  } finally {
    await client.query('select pg_advisory_unlock(hashtext($1))', [name]);
  }
}

async function asSuperuser<Answer>(work: (client: Client) => Promise<Answer>): Promise<Answer> {
  const client = new Client({ connectionString: testRun().postgresUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function databaseUrl(name: string): string {
  const url = new URL(testRun().postgresUrl);
  url.pathname = name;
  return url.href;
}
