import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { checkoutState, findFreePort, findNatsServer, startProcess } from '@baton/stack';
import { startNats, until } from '@baton/testkit';
import type { Bus } from '../src/bus.js';
import { checkNats } from '../src/check-nats.js';
import { testBus, type Server } from './service.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function connectTo(server: Server): Promise<Bus> {
  const bus = await testBus(server);
  closing.push(() => bus.close());
  return bus;
}

/** A nats-server as it is without any configuration. */
async function startPlainNats(): Promise<Server> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-plain-nats-'));
  closing.push(() => rm(directory, { recursive: true }));
  const binaries = join(checkoutState, 'bin');
  const { path } = await findNatsServer({ environment: process.env, binaries, report: () => {} });
  const port = await findFreePort();
  const server = await startProcess({
    name: 'nats-server',
    command: path,
    arguments: ['--addr', '127.0.0.1', '--port', String(port)],
    logFile: join(directory, 'nats.log'),
  });
  closing.push(() => server.stop());
  return { url: `nats://127.0.0.1:${port}` };
}

describe('checkNats', () => {
  it('passes while a server is connected that takes large messages', async () => {
    const nats = await startNats();
    closing.push(() => nats.close());
    const bus = await connectTo(nats);
    expect(() => checkNats(bus)).not.toThrow();
    await nats.stop();
    await until(() => !bus.isConnected());
    expect(() => checkNats(bus)).toThrow('not connected to NATS');
  });

  it('says what to set on a server that takes small messages only', async () => {
    const bus = await connectTo(await startPlainNats());
    await until(() => bus.isConnected());
    expect(() => checkNats(bus)).toThrow(
      /^expected max_payload of at least \d+ bytes, the server has 1048576; set "max_payload: 8MB"/,
    );
  });
});
