import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Bus } from '@baton/bus';
import type { TaskEvent, TaskStatus } from '@baton/contracts';
import {
  asAdmin,
  createTestDatabase,
  startNats,
  until,
  type TestDatabase,
  type TestNats,
} from '@baton/testkit';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { eventsOf, histories, states } from './history.js';
import { startMetrics, type MetricsProcess } from './metrics-process.js';
import { connectTestBus, publish } from './publish.js';

const COMPLETED: readonly TaskStatus[] = ['queued', 'assigned', 'in_progress', 'completed'];
const PROBLEM = /^application\/problem\+json/;

let nats: TestNats;
let bus: Bus;
let database: TestDatabase;
let service: MetricsProcess;

beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.close());

beforeEach(async () => {
  await nats.restart('emptied');
  bus = await connectTestBus(nats);
  database = await createTestDatabase();
  service = await start();
});
afterEach(async () => {
  await service.end('SIGTERM');
  await bus.close();
  await database.close();
});

const start = () => startMetrics({ databaseUrl: database.url, nats });

/** What the killed process had not acknowledged comes again after 30 s; no test need wait for that. */
async function redeliverSoon(): Promise<void> {
  const manager = await bus.jetstream.jetstreamManager();
  await manager.consumers.update('TASKS', 'metrics', { ack_wait: 100_000_000 });
}

const untilCounted = (tasks: number) =>
  until(
    async () => {
      const { states: counted } = await service.report();
      return Object.values(counted).reduce((sum, count) => sum + count, 0) === tasks;
    },
    { describe: () => service.report() },
  );

describe('metrics-service', () => {
  it('counts what events tell, and shows it in the API and to Prometheus', async () => {
    const done = eventsOf({ id: randomUUID(), agent: 'a', type: 'build' }, COMPLETED);
    const failed = eventsOf({ id: randomUUID(), agent: 'b' }, [
      'queued',
      'assigned',
      'in_progress',
      'failed',
    ]);
    const working = eventsOf({ id: randomUUID(), agent: 'b' }, ['queued', 'assigned', 'in_progress']);
    const waiting = eventsOf({ id: randomUUID() }, ['queued']);
    await publish(bus, [...done, ...failed, ...working, ...waiting]);
    await untilCounted(4);

    const report = await until(async () => {
      const current = await service.report('window=1h');
      return current.ended.failed === 1 && current.ended.completed === 1 && current;
    });
    expect(report).toMatchObject({
      window: '1h',
      states: states({ completed: 1, failed: 1, in_progress: 1, queued: 1 }),
      ended: { completed: 1, failed: 1, cancelled: 0 },
      completionRate: 0.5,
      failureRate: 0.5,
      duration: { mean: 2 },
      run: { mean: 1 },
      wait: { mean: 1 },
      endToEnd: { mean: 3 },
    });
    const grouped = await service.report('window=15m&type=build&groupBy=agent');
    expect(grouped.groups.map(({ agent, ended }) => [agent, ended.completed])).toEqual([
      ['a', 1],
      [null, 0],
    ]);
    await until(async () => (await service.sample('baton_tasks{status="in_progress"}')) === 1);
    expect(await service.sample('baton_tasks_ended_total{status="completed",type="build"}')).toBe(1);
    expect(await service.sample('baton_agent_tasks_held{agent="b"}')).toBe(1);
    expect(await service.sample('baton_task_duration_seconds_sum')).toBe(2);
    expect(await service.sample('baton_task_seconds_total{measure="wait",type="build"}')).toBe(1);
    const quantile = await service.sample('baton_task_quantile_seconds{measure="duration",quantile="0.5"}');
    expect(Math.abs(quantile - 2)).toBeLessThanOrEqual(0.02);
    expect(await service.sample('baton_metrics_ingest_events_total')).toBe(12);
  });

  it('is exact after a crash in the middle, repetitions and disorder', async () => {
    const tasks = fc.sample(histories, { numRuns: 60, seed: 42 }).flat();
    const events = fc.sample(fc.shuffledSubarray(tasks.flat(), { minLength: tasks.flat().length }), {
      numRuns: 1,
      seed: 42,
    })[0] as TaskEvent[];
    const third = Math.ceil(events.length / 3);
    await publish(bus, events.slice(0, third));
    await until(async () => (await service.sample('baton_metrics_ingest_events_total')) > 0);
    const more = publish(bus, events.slice(third, 2 * third));
    await service.end('SIGKILL');
    await more;
    await redeliverSoon();
    service = await start();
    await publish(bus, events.slice(third / 2));

    const expected = recount(tasks);
    await until(
      async () => {
        expect((await service.report()).states).toEqual(states(expected));
        return true;
      },
      { timeoutMs: 45_000, describe: () => service.report() },
    );
    await service.end('SIGKILL');
    service = await start();
    expect((await service.report()).states).toEqual(states(expected));
    expect(await service.sample('baton_tasks{status="completed"}')).toBe(expected.completed ?? 0);
  }, 60_000);

  it('gives up a message that can never be ingested, records it, and goes on', async () => {
    const good = eventsOf({ id: randomUUID() }, ['queued']);
    const unstorable = eventsOf({ id: randomUUID(), type: 'a\0b' }, ['queued']);
    await bus.publishEvents('task.created', randomUUID(), 'not JSON');
    await publish(bus, unstorable);
    await publish(bus, good);
    await untilCounted(1);
    await until(async () => (await service.sample('baton_metrics_ingest_poison_total')) === 2);
    const reader = await new DataSource({
      type: 'postgres',
      url: database.url,
      installExtensions: false,
    }).initialize();
    const poison = await reader.query(
      'SELECT seq, subject, deliveries, payload FROM metrics.poison ORDER BY seq::int',
    );
    await reader.destroy();
    expect(poison).toMatchObject([
      { seq: '1', subject: 'task.created', deliveries: 1, payload: 'not JSON' },
      { seq: '2', subject: 'task.created', deliveries: 1 },
    ]);
  });

  it('refuses a query it does not understand with a problem document', async () => {
    const url = `${await service.httpUrl()}/v1/metrics`;
    const bad = await fetch(`${url}/tasks?window=2w&priority=9&surprise=1`, { headers: asAdmin });
    expect(bad.status).toBe(400);
    expect(bad.headers.get('content-type')).toMatch(PROBLEM);
    expect(await bad.json()).toMatchObject({
      code: 'VALIDATION_FAILED',
      status: 400,
      retryable: false,
      errors: [
        { pointer: '/window' },
        { pointer: '/priority', detail: 'expected 1 to 5' },
        { pointer: '/surprise' },
      ],
    });
    const missing = await fetch(`${url}/nothing`, { headers: asAdmin });
    expect(missing.status).toBe(404);
    expect(missing.headers.get('content-type')).toMatch(PROBLEM);
    expect(await missing.json()).toMatchObject({ code: 'ROUTE_NOT_FOUND' });
  });

  it('stops on SIGTERM with everything gathered saved and acknowledged', async () => {
    await until(async () => (await service.readiness()) === 200);
    const tasks = Array.from({ length: 50 }, () => eventsOf({ id: randomUUID() }, COMPLETED));
    for (const events of tasks) await publish(bus, events);
    await until(async () => (await service.sample('baton_metrics_ingest_events_total')) > 0);
    expect(await service.end('SIGTERM')).toBe(0);
    service = await start();
    await until(async () => (await service.report()).states.completed === 50);
  });
});

function recount(tasks: readonly (readonly TaskEvent[])[]): Partial<Record<TaskStatus, number>> {
  const counts: Partial<Record<TaskStatus, number>> = {};
  for (const { data } of tasks.map((events) => events.at(-1) as TaskEvent)) {
    counts[data.status] = (counts[data.status] ?? 0) + 1;
  }
  return counts;
}
