import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findFreePort, startProcess, type RunningProcess } from '@baton/stack';
import {
  ADMIN_KEY,
  asAdmin,
  createTestDatabase,
  serviceLogin,
  startNats,
  until,
  type TestDatabase,
  type TestNats,
} from '@baton/testkit';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

let nats: TestNats;
let database: TestDatabase;
let directory: string;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  [nats, database] = await Promise.all([startNats(), createTestDatabase()]);
  directory = await mkdtemp(join(tmpdir(), 'task-service-start-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await database.close();
  await nats.close();
  await rm(directory, { recursive: true, force: true });
});

type Started = {
  readonly process: RunningProcess;
  /** `/readyz?verbose`: the status, and what is wrong with the database. */
  readiness(): Promise<{ readonly status: number; readonly postgres: string }>;
  readonly operationsUrl: string;
  readonly httpUrl: string;
};

async function start(databaseUrl: string): Promise<Started> {
  const [http, operations] = [await findFreePort(), await findFreePort()];
  const logFile = join(directory, 'log');
  const child = await startProcess({
    name: 'task-service',
    command: process.execPath,
    arguments: [MAIN],
    logFile,
    environment: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      ...serviceLogin(nats, 'task-service'),
      BATON_ADMIN_KEY: ADMIN_KEY,
      BATON_HTTP_PORT: String(http),
      BATON_OPERATIONS_PORT: String(operations),
    },
  });
  closing.push(() => child.stop());
  const operationsUrl = `http://127.0.0.1:${operations}`;
  await until(() => fetch(`${operationsUrl}/livez`).then(({ ok }) => ok), { timeoutMs: 15_000 });
  return {
    process: child,
    operationsUrl,
    httpUrl: `http://127.0.0.1:${http}`,
    async readiness() {
      const answer = await fetch(`${operationsUrl}/readyz?verbose`);
      const { checks } = (await answer.json()) as { checks: { postgres: string } };
      return { status: answer.status, postgres: checks.postgres };
    },
  };
}

/** Passes connections on to the Postgres of the tests, on a port of its own. */
async function openWay(port: number): Promise<Server> {
  const target = new URL(database.url);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => (socket === client ? upstream : client).destroy());
    }
    client.pipe(upstream).pipe(client);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server;
}

describe('task-service without its database', () => {
  it('waits, says what is wrong, and serves once it is put right', async () => {
    const port = await findFreePort();
    const url = new URL(database.url);
    url.host = `127.0.0.1:${port}`;
    const service = await start(url.href);
    await until(async () => (await service.readiness()).postgres.includes('nothing listens there'));
    expect((await service.readiness()).status).toBe(503);
    expect((await fetch(`${service.operationsUrl}/livez`)).status).toBe(200);
    await openWay(port);
    await until(async () => (await service.readiness()).status === 200, { timeoutMs: 15_000 });
    const answer = await fetch(`${service.httpUrl}/v1/tasks`, {
      method: 'POST',
      headers: { ...asAdmin, 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'x' }),
    });
    expect(answer.status).toBe(201);
    const log = await readFile(service.process.logFile, 'utf8');
    expect(log).toContain(`Postgres at 127.0.0.1:${port}`);
    expect(log).not.toMatch(/\bat .*:\d+:\d+|"stack"/);
    expect(await service.process.stop()).toEqual({ code: 0, signal: null });
  }, 60_000);

  it('stops at once when it is told to while it waits', async () => {
    const url = new URL(database.url);
    url.host = `127.0.0.1:${await findFreePort()}`;
    const service = await start(url.href);
    const before = performance.now();
    expect(await service.process.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(3_000);
  }, 60_000);
});
