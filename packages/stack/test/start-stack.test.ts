import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';

import { startStack, type Stack, type StackOptions } from '../src/index.js';
import { withStackDatabase } from '../src/postgres/stack-database.js';
import { resetState } from '../src/state/reset-state.js';
import { binaries, plainEnvironment, temporaryDirectory } from './temporary-directory.js';

async function query(url: string, text: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

describe('startStack', () => {
  let options: StackOptions;
  let stack: Stack;

  beforeAll(async () => {
    options = { directory: await temporaryDirectory(), binaries, environment: plainEnvironment() };
    stack = await startStack(options);
  });

  afterAll(() => stack.stop());

  it('gives a durable Postgres and a nats-server with JetStream', async () => {
    expect(await query(stack.postgresUrl, 'show fsync')).toEqual([{ fsync: 'on' }]);
    const config = await readFile(join(stack.directory, 'nats', 'nats-server.conf'), 'utf8');
    expect(config).toContain('sync_interval: always');
  });

  it('keeps the tables of task-service from the role of metrics-service', async () => {
    await query(stack.postgresUrl, 'create table secret (id int)');
    await query(stack.metricsPostgresUrl, 'create schema if not exists metrics');
    await query(stack.metricsPostgresUrl, 'create table own (id int)');
    const tables = await query(
      stack.metricsPostgresUrl,
      `select schemaname from pg_tables where tablename = 'own'`,
    );
    expect(tables).toEqual([{ schemaname: 'metrics' }]);
    await expect(query(stack.metricsPostgresUrl, 'select * from public.secret')).rejects.toThrow(
      /permission denied/,
    );
  });

  it('gives its database to a command, and starts it for one while it does not run', async () => {
    const name = `select 1 as one, pg_postmaster_start_time()::text as since`;
    const report = (): void => undefined;
    const ask = () =>
      withStackDatabase({ directory: stack.directory, report }, ({ url }) => query(url, name));
    const running = await ask();
    expect(running).toEqual(await query(stack.postgresUrl, name));
    await stack.stop();
    const started = await ask();
    expect(started).toEqual([{ one: 1, since: expect.any(String) }]);
    expect(started).not.toEqual(running);
    await expect(query(stack.postgresUrl, name)).rejects.toThrow(/ECONNREFUSED/);
    stack = await startStack(options);
  });

  it('makes the first API key once, unless the environment gives one', async () => {
    const { adminKey, adminKeyFile = '' } = stack;
    expect(adminKey).toMatch(/^baton_[A-Za-z0-9]{64}$/);
    expect(adminKeyFile).toBe(join(stack.directory, 'admin-key'));
    expect((await stat(adminKeyFile)).mode & 0o777).toBe(0o600);
    await stack.stop();
    const given = `baton_${'7'.repeat(43)}`;
    const environment = { ...options.environment, BATON_ADMIN_KEY: given };
    stack = await startStack({ ...options, environment });
    expect([stack.adminKey, stack.adminKeyFile]).toEqual([given, undefined]);
    await stack.stop();
    stack = await startStack(options);
    expect(stack.adminKey).toBe(adminKey);
  });

  it('lets nobody else read passwords and data', async () => {
    const modeOf = async (name: string): Promise<number> =>
      (await stat(join(stack.directory, name))).mode & 0o077;
    expect(await modeOf('secrets.json')).toBe(0);
    expect(await modeOf('run.json')).toBe(0);
    expect(await modeOf('postgres')).toBe(0);
    expect(await modeOf('nats')).toBe(0);
    expect(stack.describe().join()).not.toContain(new URL(stack.postgresUrl).password);
  });

  it('refuses a second start in the same directory and says who runs', async () => {
    await stack.announce('task-service: http://127.0.0.1:4001');
    const second = startStack(options);
    await expect(second).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    await expect(second).rejects.toThrow(`process ${process.pid}, since 20`);
    await expect(second).rejects.toThrow('task-service: http://127.0.0.1:4001');
  });

  it('keeps data and addresses over a restart', async () => {
    await query(stack.postgresUrl, `create table kept as select 'Mars' as planet`);
    const before = [stack.postgresUrl, stack.natsUrl];
    await stack.stop();
    stack = await startStack(options);
    expect([stack.postgresUrl, stack.natsUrl]).toEqual(before);
    expect(await query(stack.postgresUrl, 'select planet from kept')).toEqual([{ planet: 'Mars' }]);
  });

  it('takes other ports when those of the last start are in use', async () => {
    const port = Number(new URL(stack.natsUrl).port);
    await stack.stop();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    stack = await startStack(options);
    expect(stack.natsUrl).not.toContain(String(port));
    other.close();
  });
});

describe('a state directory below one that only its owner may enter', () => {
  it('is reached by Postgres, which as root runs as another user', async () => {
    const closed = join(await temporaryDirectory(), 'closed');
    await mkdir(closed, { mode: 0o700 });
    const options = { binaries, environment: plainEnvironment(), durability: 'throwaway' as const };
    const stack = await startStack({ ...options, directory: join(closed, '.baton') });
    expect(await query(stack.postgresUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    await stack.stop();
  });
});

describe('resetState', () => {
  it('refuses while a stack runs, and empties the directory afterwards', async () => {
    const directory = join(await temporaryDirectory(), '.baton');
    const environment = plainEnvironment();
    const stack = await startStack({ directory, binaries, environment, durability: 'throwaway' });
    await mkdir(join(directory, 'bin'));
    await writeFile(join(directory, 'bin', 'nats-server'), 'a program');
    const reset = () => resetState({ directory, kept: ['bin'], report: () => undefined });
    await expect(reset()).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    await stack.stop();
    expect((await reset()).toSorted()).toEqual([
      'admin-key',
      'logs',
      'nats',
      'ports.json',
      'postgres',
      'secrets.json',
    ]);
    expect(await readdir(directory)).toEqual(['bin']);
  });

  it('has nothing to do where nothing was ever started', async () => {
    const directory = join(await temporaryDirectory(), 'nothing');
    expect(await resetState({ directory, kept: [], report: () => undefined })).toEqual([]);
  });
});
