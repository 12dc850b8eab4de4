import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

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

  it('a NATS_URL where nothing listens', async () => {
    const port = await findFreePort();
    const error = await startWith({ NATS_URL: `nats://127.0.0.1:${port}` });
    expect(error).toMatchObject({ code: 'NATS_UNREACHABLE' });
    expect(String(error)).toContain('ECONNREFUSED');
  });

  it.each([
    ['too old', 'INFO {"version":"2.9.25","jetstream":true}\r\n', 'NATS_TOO_OLD'],
    ['without JetStream', 'INFO {"version":"2.11.3"}\r\n', 'NATS_UNREACHABLE'],
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
