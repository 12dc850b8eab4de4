import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';

import { connectOperator, createTestDatabase, startNats, until, type TestDatabase } from '../src/index.js';

let migrations = 0;

async function migrate(url: string): Promise<void> {
  migrations += 1;
  await withClient(url, (client) => client.query('create table planet (name text primary key)'));
}

async function withClient<Answer>(url: string, work: (client: Client) => Promise<Answer>): Promise<Answer> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

describe('createTestDatabase', () => {
  const options = { schema: 'testkit', migrate };
  let databases: readonly TestDatabase[];

  beforeAll(async () => {
    databases = await Promise.all([1, 2, 3].map(() => createTestDatabase(options)));
  });

  afterAll(async () => {
    await Promise.all(databases.map((database) => database.close()));
  });

  it('builds the template once, however many ask at the same time', () => {
    expect(migrations).toBe(1);
    expect(new Set(databases.map((database) => database.url)).size).toBe(3);
  });

  it('gives each its own copy of the schema', async () => {
    const [first, second] = databases;
    await withClient(first?.url ?? '', (client) => client.query(`insert into planet values ('Mars')`));
    const { rowCount } = await withClient(second?.url ?? '', (client) => client.query('select from planet'));
    expect(rowCount).toBe(0);
  });

  it('refuses to close while the code under test holds a connection, and says which', async () => {
    const database = await createTestDatabase(options);
    const client = new Client({ connectionString: database.url, application_name: 'forgetful' });
    client.on('error', () => undefined);
    await client.connect();
    await expect(database.close()).rejects.toThrow(/left open: .*forgetful/);
    await client.end();
  });
});

describe('startNats', () => {
  it('comes back on the same address, so that clients reconnect', async () => {
    const nats = await startNats();
    const connection = await connectOperator(nats, { reconnectTimeWait: 20, maxReconnectAttempts: -1 });
    await nats.kill();
    await nats.restart('kept');
    expect(await until(() => connection.rtt())).toBeGreaterThan(0);
    await connection.close();
    await nats.close();
  });
});
