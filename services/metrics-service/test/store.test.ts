import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  taskMetricsQuery,
  agentMetricsQuery,
  delegationMetricsQuery,
  type TaskEvent,
  type TaskStatus,
} from '@baton/contracts';
import { createTestDatabase, type TestDatabase } from '@baton/testkit';
import fc from 'fast-check';
import { pino } from 'pino';
import type { DataSource } from 'typeorm';
import { createDataSource, migrate } from '../src/database/data-source.js';
import { CapacityStore } from '../src/fleet/capacity.store.js';
import { IngestStore } from '../src/ingest/ingest.store.js';
import { ReportService } from '../src/reports/report.service.js';
import { ReportStore } from '../src/reports/report.store.js';
import { COUNTERS } from '../src/rollups/rollup.fold.js';
import { RetentionStore } from '../src/rollups/retention.store.js';
import { histories, eventsOf, scattered, states } from './history.js';

const logger = pino({ level: 'silent' });
const TABLES = ['tasks', 'totals', 'rollups', 'delegations', 'recoveries', 'capacity'];

let database: TestDatabase;
let dataSource: DataSource;
let store: IngestStore;
let reports: ReportService;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = createDataSource(database.url, logger);
  await migrate(database.url, logger, new AbortController().signal);
  await dataSource.initialize();
  store = new IngestStore(dataSource);
  reports = new ReportService(new ReportStore(dataSource));
});

afterAll(async () => {
  await dataSource.destroy();
  await database.close();
});

const clear = () => dataSource.query(`TRUNCATE ${TABLES.map((table) => `metrics.${table}`).join(', ')}`);
const tasks = (query: object = {}) => reports.tasks(taskMetricsQuery.parse({ window: 'all', ...query }));
const agents = (query: object = {}) => reports.agents(agentMetricsQuery.parse({ window: 'all', ...query }));

/** Everything that is kept, but when it was written and rows of nothing. */
async function kept(): Promise<object> {
  const rows = (table: string, but = '') =>
    dataSource.query(`SELECT (to_jsonb(t) ${but})::text AS row FROM metrics.${table} t ORDER BY 1`);
  return {
    tasks: await rows('tasks', "- 'changed_at'"),
    totals: await dataSource.query('SELECT * FROM metrics.totals WHERE tasks <> 0 ORDER BY 1, 2, 3, 4'),
    rollups: await rows('rollups'),
    recoveries: await rows('recoveries'),
    delegations: await rows('delegations'),
  };
}

const COMPLETED: readonly TaskStatus[] = ['queued', 'assigned', 'in_progress', 'completed'];
const id = (index: number) => `01935000-0000-7000-8000-${String(index).padStart(12, '0')}`;

describe('IngestStore', () => {
  it('keeps the same figures whatever the order, repetition and cut of the events', async () => {
    const scenario = histories.chain((all) => fc.tuple(fc.constant(all), scattered(all.flat())));
    await fc.assert(
      fc.asyncProperty(scenario, async ([all, parts]) => {
        await clear();
        await store.saveEvents(all.flat());
        const expected = await kept();
        await clear();
        for (const part of parts) await store.saveEvents(part);
        expect(await kept()).toEqual(expected);
        const { states: told, ended } = await tasks();
        expect(told).toEqual(recount(all));
        const ends = (type: string) => all.flat().filter((event) => event.type === type).length;
        expect(ended).toEqual({
          completed: ends('task.completed'),
          failed: ends('task.failed'),
          cancelled: ends('task.cancelled'),
        });
      }),
      { numRuns: 40 },
    );
  });

  it('keeps them when replicas save the same events side by side', async () => {
    const events = fc.sample(histories, { numRuns: 30, seed: 7 }).flat().flat();
    await clear();
    await store.saveEvents(events);
    const expected = await kept();
    await clear();
    await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        store.saveEvents(events.filter((_event, at) => at % 4 === index % 4)),
      ),
    );
    expect(await kept()).toEqual(expected);
  });

  it('says what was new, and knows of a gap until it is filled', async () => {
    await clear();
    const events = eventsOf({ id: id(1), stepMs: 2_000 }, COMPLETED);
    expect(await store.saveEvents(events.slice(2))).toMatchObject({ counted: 2, durations: [4] });
    expect(await store.hasGap(0)).toBe(true);
    const versions = events.map(({ subject, taskversion }) => ({ taskId: subject, version: taskversion }));
    expect(await store.hasAll(versions.slice(2))).toBe(true);
    expect(await store.hasAll(versions)).toBe(false);
    expect(await store.saveEvents(events)).toMatchObject({ counted: 2, durations: [] });
    expect(await store.hasAll(versions)).toBe(true);
    expect(await store.hasGap(0)).toBe(false);
  });

  it('refuses a value that Postgres cannot store, and nothing of that batch is saved', async () => {
    await clear();
    const good = eventsOf({ id: id(2) }, ['queued']);
    const bad = eventsOf({ id: id(3), type: 'a\0b' }, ['queued']);
    await expect(store.saveEvents([...good, ...bad])).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect((await tasks()).states).toEqual(states({}));
  });

  it('forgets fine buckets when their time is over, and what it removed is not counted again', async () => {
    await clear();
    const old = Date.now() - 3 * 3_600_000;
    await store.saveEvents(eventsOf({ id: id(4), createdAt: old }, COMPLETED));
    await store.saveEvents(eventsOf({ id: id(5) }, COMPLETED));
    await dataSource.query(
      `INSERT INTO metrics.rollups SELECT 10, dimensions, at - 3600 * 3, agent, type, priority, ${COUNTERS.join(', ')}, sketches
        FROM metrics.rollups WHERE level = 10`,
    );
    const fine = async () =>
      (await dataSource.query('SELECT count(DISTINCT at) AS n FROM metrics.rollups WHERE level = 10'))[0].n;
    const before = await fine();
    await new RetentionStore(dataSource).removeOld();
    expect(await fine()).toBeLessThan(before);
    expect(await fine()).toBeGreaterThan(0);
    expect((await tasks({ window: '1d' })).ended.completed).toBe(2);
    expect((await tasks({ window: '1h' })).ended.completed).toBe(1);
  });
});

describe('reports', () => {
  it('tell rates, times and groups by window and filters', async () => {
    await clear();
    const task = (index: number, plan: Partial<Parameters<typeof eventsOf>[0]>) =>
      eventsOf({ id: id(100 + index), ...plan }, COMPLETED);
    const long = Array.from({ length: 10 }, (_, index) =>
      task(index, { stepMs: (index + 1) * 500, agent: 'long', type: 'build', priority: 1 }),
    );
    const dayAgo = task(30, { createdAt: Date.now() - 86_400_000, agent: 'past' });
    const short = task(31, { stepMs: 5, agent: 'short' });
    await store.saveEvents([...long, dayAgo, short].flat());

    const builds = await tasks({ window: '1h', type: 'build', agent: 'long', priority: '1' });
    expect(builds.ended.completed).toBe(10);
    // Assigned to completed is two steps: 1 to 10 s.
    expect(builds.duration['mean']).toBeCloseTo(5.5);
    expect(Math.abs((builds.duration['p50'] ?? 0) - 5)).toBeLessThanOrEqual(0.05);
    expect(Math.abs((builds.duration['p90'] ?? 0) - 9)).toBeLessThanOrEqual(0.09);
    expect(builds.run['mean']).toBeCloseTo(2.75);
    expect((await tasks({ window: '1h' })).ended.completed).toBe(11);
    expect((await tasks()).ended.completed).toBe(12);
    expect((await tasks({ window: '2d', agent: 'past' })).ended.completed).toBe(1);
    expect((await tasks({ window: '1h', agent: 'past' })).ended.completed).toBe(0);

    const grouped = await tasks({ groupBy: 'agent,type' });
    expect(grouped.groups.map(({ agent, type, ended }) => [agent, type, ended.completed])).toEqual([
      ['long', 'build', 10],
      ['past', 'task', 1],
      ['short', 'task', 1],
      // Before an agent has them tasks are nobody's.
      [null, 'build', 0],
      [null, 'task', 0],
    ]);
    const byTime = await tasks({ window: '2d', groupBy: 'time' });
    expect(byTime.groups.reduce((sum, { ended }) => sum + ended.completed, 0)).toBe(12);
    expect(byTime.groups.length).toBeGreaterThan(1);
  });

  it('tell how long agents worked of the time they had, and how evenly', async () => {
    await clear();
    const now = Date.now();
    const at = (secondsAgo: number) => new Date(now - secondsAgo * 1_000).toISOString();
    const capacity = new CapacityStore(dataSource);
    await capacity.save([
      { agent: 'busy', at: at(2_000), slots: 2 },
      { agent: 'idle', at: at(1_000), slots: 1 },
      { agent: 'idle', at: at(500), slots: 0 },
    ]);
    // Again, and what is known already.
    await capacity.save([{ agent: 'busy', at: at(2_000), slots: 2 }]);
    await capacity.saveDiffering([
      { agent: 'busy', at: at(0), slots: 2 },
      { agent: 'idle', at: at(0), slots: 0 },
    ]);
    // In progress from 1,500 to 500 s ago, and since 300 s ago: 1,300 of 4,000 slot seconds.
    await store.saveEvents(
      eventsOf({ id: id(200), agent: 'busy', createdAt: now - 3_500_000, stepMs: 1_000_000 }, COMPLETED),
    );
    await store.saveEvents(
      eventsOf(
        { id: id(201), agent: 'busy', createdAt: now - 500_000, stepMs: 100_000 },
        COMPLETED.slice(0, 3),
      ),
    );
    const report = await agents({ window: '2h' });
    const busy = report.agents.find(({ agentId }) => agentId === 'busy');
    expect(busy).toMatchObject({ active: 1, pending: 0, maxConcurrent: 2, ended: { completed: 1 } });
    expect(busy?.onlineSeconds).toBeGreaterThanOrEqual(2_000);
    expect(busy?.utilization).toBeCloseTo(1_300 / 4_000, 1);
    const idle = report.agents.find(({ agentId }) => agentId === 'idle');
    expect(idle).toMatchObject({ onlineSeconds: 500, utilization: 0, maxConcurrent: 0 });
    expect(report.distribution).toMatchObject({ agents: 2, jain: 0.5, coefficientOfVariation: 1 });
    // In a window that begins while it works, what began before it counts from then on.
    const late = (await agents({ window: '15m' })).agents.find(({ agentId }) => agentId === 'busy');
    expect(late?.utilization).toBeGreaterThan(0.3);
    expect(late?.utilization).toBeLessThan(0.45);
    const one = await reports.agent('busy', agentMetricsQuery.parse({ window: '2h' }));
    expect(one.types.map(({ type, ended }) => [type, ended.completed])).toEqual([['task', 1]]);
  });

  it('tell hand-overs by edge and chain', async () => {
    await clear();
    const delegated = (index: number, end: 'completed' | 'failed'): TaskEvent[] =>
      eventsOf({ id: id(300 + index), agent: 'b' }, ['queued', 'assigned', 'in_progress', end]).map(
        (event) =>
          event.taskversion === 2
            ? { ...event, type: 'task.delegated', data: { ...event.data, delegationChain: ['a'] } }
            : { ...event, data: { ...event.data, delegationChain: ['a'] } },
      );
    await store.saveEvents(
      [delegated(0, 'completed'), delegated(1, 'completed'), delegated(2, 'failed')].flat(),
    );
    const report = await reports.delegations(
      delegationMetricsQuery.parse({ window: '1h', percentiles: '95' }),
    );
    expect(report).toMatchObject({ delegated: 3, completed: 2, ended: 3, efficiency: 2 / 3 });
    expect(report.edges).toMatchObject([{ from: 'a', to: 'b', delegated: 3, completed: 2, ended: 3 }]);
    expect(report.chains).toMatchObject([{ chain: ['a', 'b'], delegated: 3 }]);
    expect(Math.abs((report.edges[0]?.duration['p95'] ?? 0) - 2)).toBeLessThanOrEqual(0.02);
    expect((await tasks()).delegation).toEqual({ delegated: 3, completed: 2, ended: 3, efficiency: 2 / 3 });
    const others = await reports.delegations(delegationMetricsQuery.parse({ window: '1h', agent: 'c' }));
    expect(others.edges).toEqual([]);
  });

  it('tell the age of the oldest queued task', async () => {
    await clear();
    const queued = (index: number, seconds: number) =>
      eventsOf({ id: id(400 + index), createdAt: Date.now() - seconds * 1_000 }, ['queued']);
    await store.saveEvents([...queued(1, 60), ...queued(2, 600)]);
    const { backlog, oldestSeconds } = await tasks();
    expect(backlog.queued).toBe(2);
    expect(backlog.oldestSeconds).toBeGreaterThanOrEqual(600);
    expect(backlog.oldestSeconds).toBeLessThan(660);
    expect(oldestSeconds['queued']).toBeGreaterThanOrEqual(600);
    expect(oldestSeconds['blocked']).toBeNull();
  });
});

function recount(all: readonly (readonly TaskEvent[])[]): Record<TaskStatus, number> {
  const counts = states({});
  for (const events of all) counts[(events.at(-1) as TaskEvent).data.status] += 1;
  return counts;
}
