import { randomUUID } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Bus } from '@baton/bus';
import { liveChanges, type LiveTask, type TaskStatus } from '@baton/contracts';
import {
  asAdmin,
  createTestDatabase,
  startNats,
  until,
  type TestDatabase,
  type TestNats,
} from '@baton/testkit';
import { eventsOf } from './history.js';
import { startMetrics, type MetricsProcess } from './metrics-process.js';
import { connectTestBus, publish } from './publish.js';

const LIFE: readonly TaskStatus[] = ['queued', 'assigned', 'in_progress', 'completed'];
const PATIENCE = { timeoutMs: 40_000 };

let nats: TestNats;
let bus: Bus;
let database: TestDatabase;
let replicas: readonly [MetricsProcess, MetricsProcess];
let watchers: Watcher[] = [];

beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.close());

beforeEach(async () => {
  await nats.restart('emptied');
  bus = await connectTestBus(nats);
  database = await createTestDatabase();
  const options = { databaseUrl: database.url, nats };
  replicas = await Promise.all([startMetrics(options), startMetrics(options)]);
});
afterEach(async () => {
  for (const watcher of watchers) watcher.leave();
  watchers = [];
  await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
  await bus.close();
  await database.close();
});

/** Somebody who looks on, and may stop reading. */
type Watcher = {
  readonly status: number;
  readonly events: readonly { readonly id: string; readonly name: string; readonly data: string }[];
  tasks(): readonly LiveTask[];
  names(): readonly string[];
  lastId(): string;
  readonly response: IncomingMessage;
  isOver(): boolean;
  leave(): void;
};

async function watch(
  replica: MetricsProcess,
  { last, headers = asAdmin }: { readonly last?: string; readonly headers?: Record<string, string> } = {},
): Promise<Watcher> {
  const url = `${await replica.httpUrl()}/v1/stream`;
  const asked = request(url, {
    headers: { ...headers, ...(last === undefined ? {} : { 'last-event-id': last }) },
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve).once('error', reject).end();
  });
  const events: { id: string; name: string; data: string }[] = [];
  let rest = '';
  let over = false;
  response.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const [, id, name, data] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(part) ?? [];
      if (id !== undefined) events.push({ id, name: name ?? '', data: data ?? '' });
    }
  });
  response.once('close', () => (over = true)).on('error', () => undefined);
  const watcher: Watcher = {
    status: response.statusCode ?? 0,
    events,
    tasks: () =>
      events
        .filter(({ name }) => name === 'changes')
        .flatMap(({ data }) => liveChanges.parse(JSON.parse(data)).tasks),
    names: () => events.map(({ name }) => name),
    lastId: () => events.at(-1)?.id ?? '',
    response,
    isOver: () => over,
    leave: () => asked.destroy(),
  };
  watchers.push(watcher);
  if (watcher.status === 200 && last === undefined) await until(() => events.length > 0, PATIENCE);
  return watcher;
}

const lives = (count: number) =>
  Array.from({ length: count }, () => eventsOf({ id: randomUUID(), agent: 'a' }, LIFE));
const completed = (watcher: Watcher) =>
  new Set(watcher.tasks().flatMap(({ id, status }) => (status === 'completed' ? [id] : [])));

describe('GET /v1/stream', () => {
  it('tells everything on every replica', async () => {
    const both = await Promise.all(replicas.map((replica) => watch(replica)));
    expect(both.map((watcher) => watcher.names())).toEqual([['ready'], ['ready']]);
    await publish(bus, lives(30).flat());
    for (const watcher of both) {
      await until(() => completed(watcher).size === 30, { ...PATIENCE, describe: () => watcher.names() });
      expect(watcher.tasks().at(-1)).toMatchObject({ event: 'task.completed', version: LIFE.length });
    }
  });

  it('goes on at another replica where the client stopped, when the first is killed', async () => {
    const watcher = await watch(replicas[0]);
    const told = lives(5);
    await publish(bus, told.flat());
    await until(() => completed(watcher).size === 5, PATIENCE);
    const last = watcher.lastId();
    await replicas[0].end('SIGKILL');
    const missed = lives(5);
    await publish(bus, missed.flat());
    const next = await watch(replicas[1], { last });
    await until(() => completed(next).size === 5, { ...PATIENCE, describe: () => next.names() });
    expect(next.names()).toEqual(next.names().map(() => 'changes'));
    expect(completed(next)).toEqual(new Set(missed.map(([event]) => event?.subject)));
  });

  it('says when it cannot go on, and goes on from there', async () => {
    const watcher = await watch(replicas[0]);
    await nats.restart('emptied');
    await until(() => watcher.names().includes('reset'), PATIENCE);
    await publish(bus, lives(3).flat());
    await until(() => completed(watcher).size === 3, PATIENCE);
    const stranger = await watch(replicas[1], { last: 'one-of-elsewhere' });
    await until(() => stranger.names().includes('reset'), PATIENCE);
    expect(watcher.isOver()).toBe(false);
  });

  it('lets nobody wait for a client that does not read', async () => {
    const slow = await watch(replicas[0]);
    const quick = await watch(replicas[0]);
    slow.response.pause();
    for (let round = 0; round < 20; round += 1) await publish(bus, lives(100).flat());
    await until(() => completed(quick).size === 2_000, PATIENCE);
    slow.response.resume();
    await until(() => completed(slow).size === 2_000, PATIENCE);
    expect(slow.names()).not.toContain('reset');
  });

  it('holds nothing up for a client that leaves while NATS is away', async () => {
    await nats.stop();
    try {
      const asked = request(`${await replicas[0].httpUrl()}/v1/stream`, { headers: asAdmin });
      asked.on('error', () => undefined).end();
      // Long enough for the request to be there, and much shorter than the service waits for NATS.
      await new Promise((resolve) => setTimeout(resolve, 500));
      asked.destroy();
      const begun = performance.now();
      expect(await replicas[0].readiness()).toBe(200);
      expect(performance.now() - begun).toBeLessThan(3_000);
    } finally {
      await nats.restart('kept');
    }
    expect((await watch(replicas[0])).status).toBe(200);
  });

  it('ends at once when the service is stopped, and is open to nobody without a key', async () => {
    expect((await watch(replicas[0], { headers: {} })).status).toBe(401);
    const watcher = await watch(replicas[0]);
    expect(await replicas[0].end('SIGTERM')).toBe(0);
    expect(watcher.isOver()).toBe(true);
  });
});
