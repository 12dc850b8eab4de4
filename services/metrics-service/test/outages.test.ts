import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Bus } from '@baton/bus';
import {
  createTestDatabase,
  startNats,
  startWire,
  until,
  asAdmin,
  type TestDatabase,
  type TestNats,
  type Wire,
} from '@baton/testkit';
import { eventsOf, states } from './history.js';
import { startMetrics, type MetricsProcess } from './metrics-process.js';
import { connectTestBus, publish } from './publish.js';

let nats: TestNats;
let bus: Bus;
let database: TestDatabase;
let postgres: Wire;
let service: MetricsProcess;

beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.close());

beforeEach(async () => {
  await nats.restart('emptied');
  bus = await connectTestBus(nats);
  database = await createTestDatabase();
  postgres = await startWire(database.url);
});
afterEach(async () => {
  await service.end('SIGTERM');
  await bus.close();
  await postgres.close();
  await database.close();
});

const start = () => startMetrics({ databaseUrl: postgres.url, nats });
const untilReadiness = (status: number) => until(async () => (await service.readiness()) === status);
const untilQueued = (queued: number) =>
  until(async () => (await service.report()).states.queued === queued, { timeoutMs: 15_000 });
const degraded = async (): Promise<readonly string[]> => {
  const response = await fetch(`${service.operationsUrl}/readyz?verbose`);
  return ((await response.json()) as { degraded: readonly string[] }).degraded;
};
const queuedTask = () => eventsOf({ id: randomUUID() }, ['queued']);

describe('metrics-service without NATS', () => {
  it('starts, answers, and catches up when NATS is there', async () => {
    await nats.stop();
    service = await start();
    expect((await service.report()).states).toEqual(states({}));
    expect((await fetch(`${service.operationsUrl}/livez`)).status).toBe(200);
    expect(await service.readiness()).toBe(200);
    expect(await degraded()).toEqual(['nats', 'events']);
    await nats.restart('kept');
    await until(async () => (await degraded()).length === 0);
    await until(() => bus.isConnected());
    await publish(bus, queuedTask());
    await untilQueued(1);
  });

  it('makes its consumer again after NATS lost its store', async () => {
    service = await start();
    await untilReadiness(200);
    await publish(bus, queuedTask());
    await untilQueued(1);
    await nats.restart('emptied');
    await until(() => bus.isConnected());
    await publish(bus, queuedTask());
    await untilQueued(2);
    await until(async () => (await degraded()).length === 0);
  });
});

describe('metrics-service without Postgres', () => {
  it('loses nothing, and says that it cannot answer', async () => {
    service = await start();
    await untilReadiness(200);
    await publish(bus, queuedTask());
    await untilQueued(1);

    postgres.cut();
    for (let task = 0; task < 20; task += 1) await publish(bus, queuedTask());
    await untilReadiness(503);
    const refused = await fetch(`${await service.httpUrl()}/v1/metrics/tasks`, { headers: asAdmin });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(await service.sample('baton_backlog_oldest_seconds')).toBeNaN();
    await until(async () => (await service.sample('baton_metrics_ingest_lag_seconds')) > 0.5);

    postgres.restore();
    await untilQueued(21);
    await untilReadiness(200);
    expect(await service.sample('baton_metrics_ingest_poison_total')).toBe(0);
  });

  it('waits for Postgres at its start', async () => {
    postgres.cut();
    await publish(bus, queuedTask());
    service = await start();
    expect(await service.readiness()).toBe(503);
    postgres.restore();
    await untilQueued(1);
  });

  it('stops at once while it waits, and what it had not saved comes again', async () => {
    service = await start();
    await untilReadiness(200);
    postgres.cut();
    await publish(bus, queuedTask());
    await until(async () => (await service.sample('baton_metrics_ingest_lag_seconds')) > 0);
    expect(await service.end('SIGTERM')).toBe(0);

    service = await start();
    expect(await service.end('SIGTERM')).toBe(0);

    postgres.restore();
    service = await start();
    await untilQueued(1);
  });
});
