import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Bus } from '@baton/bus';
import { createTestDatabase, startNats, until, type TestDatabase, type TestNats } from '@baton/testkit';
import { eventsOf } from './history.js';
import { startMetrics } from './metrics-process.js';
import { connectTestBus, publish } from './publish.js';

let nats: TestNats;
let bus: Bus;
let database: TestDatabase;

beforeAll(async () => {
  [nats, database] = await Promise.all([startNats(), createTestDatabase()]);
  bus = await connectTestBus(nats);
});
afterAll(async () => {
  await bus.close();
  await nats.close();
  await database.close();
});

it('SIGTERM under load counts nothing twice, loses nothing and gives back what it had not begun', async () => {
  const options = { databaseUrl: database.url, nats };
  let published = 0;
  const over = new AbortController();
  const publishing = (async () => {
    while (!over.signal.aborted) {
      await publish(bus, eventsOf({ id: randomUUID() }, ['queued', 'assigned', 'in_progress', 'completed']));
      published += 1;
      await delay(2);
    }
  })();
  try {
    for (let round = 1; round <= 2; round += 1) {
      const service = await startMetrics(options);
      const before = published;
      await service.httpUrl();
      await until(() => published > before + 100);
      expect(await service.end('SIGTERM')).toBe(0);
    }
  } finally {
    over.abort();
    await publishing;
  }

  const service = await startMetrics(options);
  const states = async () => (await service.report()).states;
  try {
    // What was not given back would wait 30 s for its next delivery.
    await until(async () => (await states()).completed === published, {
      describe: states,
      intervalMs: 100,
      timeoutMs: 15_000,
    });
    expect(await states()).toMatchObject({ queued: 0, assigned: 0, in_progress: 0 });
  } finally {
    expect(await service.end('SIGTERM')).toBe(0);
  }
}, 60_000);
