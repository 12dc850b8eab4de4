import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '@baton/testkit';
import { Client } from 'pg';

import { findFreePort, startStack } from '../src/index.js';
import { binaries, plainEnvironment, temporaryDirectory } from './temporary-directory.js';

async function startWith(settings: NodeJS.ProcessEnv): Promise<unknown> {
  const directory = await temporaryDirectory();
  const stack = await startStack({
    directory,
    binaries,
    environment: plainEnvironment(settings),
    durability: 'throwaway',
  }).catch((cause: unknown) => cause);
  if (stack instanceof Error) return stack;
  throw new Error('it should not have started');
}

/** A server that says the same to everyone who connects. */
async function greetingServer(greeting: string): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((socket) => socket.end(greeting));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

async function asSuperuser(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

async function fakeNatsServer(version: string): Promise<string> {
  const file = join(await temporaryDirectory(), 'nats-server');
  await writeFile(file, `#!/bin/sh\necho "nats-server: v${version}"\n`, { mode: 0o755 });
  return file;
}

describe('settings that cannot work', () => {
  it('a DATABASE_URL where nothing listens', async () => {
    const port = await findFreePort();
    const error = await startWith({ DATABASE_URL: `postgresql://me:secret@127.0.0.1:${port}/baton` });
    expect(error).toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    expect(String(error)).toContain(`postgresql://me:***@127.0.0.1:${port}/baton`);
    expect(String(error)).toMatch(/Nothing listens there: start that Postgres, or unset DATABASE_URL/);
  });

  it('a DATABASE_URL that is no address', async () => {
    const error = await startWith({ DATABASE_URL: 'localhost' });
    expect(error).toMatchObject({ code: 'INVALID_SETTING' });
    expect(String(error)).toContain('DATABASE_URL must look like postgresql://');
  });

  it.each([
    ['its password is wrong', { password: 'wrong' }, 'The password is wrong: correct it'],
    ['it has no password', { password: '' }, 'the address has none: write user:password@host'],
    [
      'its database does not exist',
      { pathname: '/nowhere' },
      'The database does not exist: create it (createdb)',
    ],
    ['its host is unknown', { hostname: 'db.invalid' }, /could not be looked up|host name is unknown/],
  ])('a DATABASE_URL: %s', async (_what, change, advice) => {
    const database = await createTestDatabase();
    const url = Object.assign(new URL(database.url), change);
    const error = await startWith({ DATABASE_URL: url.href, PGPASSWORD: undefined });
    expect(error).toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    expect(String(error)).toMatch(advice);
    expect(String(error)).not.toContain('wrong@');
    expect(String(error).split('\n')).toHaveLength(1);
    await database.close();
  });

  it('a DATABASE_URL whose user may create no tables', async () => {
    const database = await createTestDatabase();
    const role = `${database.name}_guest`;
    await asSuperuser(database.url, `create role ${role} login password 'secret'`);
    const url = Object.assign(new URL(database.url), { username: role, password: 'secret' });
    const error = await startWith({ DATABASE_URL: url.href });
    expect(error).toMatchObject({ code: 'POSTGRES_UNUSABLE' });
    expect(String(error)).toContain(`GRANT CREATE, USAGE ON SCHEMA public TO "${role}"`);
    await asSuperuser(database.url, `grant create, usage on schema public to ${role}`);
    expect(String(await startWith({ DATABASE_URL: url.href }))).toContain(
      `GRANT CREATE ON DATABASE "${database.name}" TO "${role}"`,
    );
    await asSuperuser(database.url, `alter database ${database.name} set default_transaction_read_only = on`);
    expect(String(await startWith({ DATABASE_URL: url.href }))).toContain('is a read-only replica');
    await asSuperuser(
      database.url,
      `set transaction_read_only = off; drop owned by ${role}; drop role ${role}`,
    );
    await database.close();
  });

  it('a NATS_URL with a password', async () => {
    const error = await startWith({ NATS_URL: 'nats://me:hunter2@127.0.0.1:4222' });
    expect(error).toMatchObject({ code: 'INVALID_SETTING' });
    expect(String(error)).toContain('Baton logs in to NATS with neither. Leave them out');
    expect(String(error)).not.toContain('hunter2');
  });

  it('a NATS_URL where nothing listens', async () => {
    const port = await findFreePort();
    const error = await startWith({ NATS_URL: `nats://127.0.0.1:${port}` });
    expect(error).toMatchObject({ code: 'NATS_UNREACHABLE' });
    expect(String(error)).toContain('ECONNREFUSED');
  });

  it.each([
    ['too old', 'INFO {"version":"2.9.25","jetstream":true}\r\n', 'NATS_TOO_OLD'],
    ['without JetStream', 'INFO {"version":"2.11.3"}\r\n', 'NATS_UNREACHABLE'],
    [
      'behind a login',
      'INFO {"version":"2.11.3","jetstream":true,"auth_required":true}\r\n',
      'NATS_UNREACHABLE',
    ],
    [
      'too narrow',
      'INFO {"version":"2.11.3","jetstream":true,"max_payload":1048576}\r\n',
      'NATS_UNREACHABLE',
    ],
    ['another program', 'HTTP/1.1 400 Bad Request\r\n', 'NATS_UNREACHABLE'],
  ])('a NATS_URL whose server is %s', async (_what, greeting, code) => {
    const server = await greetingServer(greeting);
    expect(await startWith({ NATS_URL: `127.0.0.1:${server.port}` })).toMatchObject({ code });
    server.close();
  });

  it('a NATS_SERVER_BIN that does not exist', async () => {
    const error = await startWith({ NATS_SERVER_BIN: '/nowhere/nats-server' });
    expect(error).toMatchObject({ code: 'NATS_NOT_FOUND' });
    expect(String(error)).toContain('NATS_SERVER_BIN is /nowhere/nats-server');
    expect(String(error)).toContain('there is no such file');
  });

  it('a NATS_SERVER_BIN that is too old', async () => {
    const error = await startWith({ NATS_SERVER_BIN: await fakeNatsServer('2.9.10') });
    expect(error).toMatchObject({ code: 'NATS_TOO_OLD' });
    expect(String(error)).toMatch(
      /is nats-server 2\.9\.10, but Baton needs 2\.10\.0 or later\. Set it to a newer one/,
    );
  });

  it('a BATON_POSTGRES_PORT that is in use', async () => {
    const server = await greetingServer('');
    const error = await startWith({ BATON_POSTGRES_PORT: String(server.port) });
    expect(error).toMatchObject({ code: 'PORT_TAKEN' });
    expect(String(error)).toContain('set BATON_POSTGRES_PORT to another port');
    server.close();
  });

  it('a BATON_NATS_PORT that is no port', async () => {
    expect(await startWith({ BATON_NATS_PORT: 'many' })).toMatchObject({ code: 'INVALID_SETTING' });
  });
});
