import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@baton/testkit';
import fc from 'fast-check';
import { pino } from 'pino';
import type { DataSource } from 'typeorm';
import { createDataSource, migrate } from '../src/database/data-source.js';
import { IngestStore } from '../src/ingest/ingest.store.js';
import { latestByTask, stateOf } from '../src/ingest/task-state.fold.js';
import { foldReport, type TaskReport } from '../src/reports/report.fold.js';
import { ReportStore } from '../src/reports/report.store.js';
import { histories, eventsOf, scattered, states } from './history.js';

const logger = pino({ level: 'silent' });

let database: TestDatabase;
let dataSource: DataSource;
let store: IngestStore;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = createDataSource(database.url, logger);
  await migrate(database.url, logger, new AbortController().signal);
  await dataSource.initialize();
  store = new IngestStore(dataSource);
});

afterAll(async () => {
  await dataSource.destroy();
  await database.close();
});

const clear = () => dataSource.query('TRUNCATE metrics.tasks, metrics.totals');

async function report(window: 'all' | '1h' = 'all'): Promise<TaskReport> {
  return foldReport({ window }, await new ReportStore(dataSource).readFigures({ window }));
}

const GROUPS = `status, type, priority, agent`;
const TOTALS = `
  SELECT ${GROUPS}, tasks, retries, losses, duration_us, run_us, wait_us, end_to_end_us
  FROM metrics.totals WHERE tasks <> 0 ORDER BY ${GROUPS}`;
const microseconds = (since: string, until: string, name: string) => `
  coalesce(sum(extract(epoch FROM ${until} - ${since}) * 1e6) FILTER (WHERE status = 'completed'), 0)::bigint AS ${name}`;
const RECOUNT = `
  SELECT ${GROUPS}, count(*) AS tasks, sum(retries) AS retries, sum(losses) AS losses,
    ${microseconds('assigned_at', 'ended_at', 'duration_us')}, ${microseconds('started_at', 'ended_at', 'run_us')},
    ${microseconds('first_queued_at', 'assigned_at', 'wait_us')},
    ${microseconds('created_at', 'ended_at', 'end_to_end_us')}
  FROM metrics.tasks GROUP BY ${GROUPS} ORDER BY ${GROUPS}`;

describe('IngestStore', () => {
  it('keeps totals that equal a recount, whatever the order, repetition and cut of the events', async () => {
    const scenario = histories.chain((tasks) => fc.tuple(fc.constant(tasks), scattered(tasks.flat())));
    await fc.assert(
      fc.asyncProperty(scenario, async ([tasks, parts]) => {
        await clear();
        for (const part of parts) await store.saveStates(latestByTask(part.map(stateOf)));
        const versions: readonly { task_id: string; version: number }[] = await dataSource.query(
          'SELECT task_id, version FROM metrics.tasks',
        );
        expect(new Map(versions.map((row) => [row.task_id, row.version]))).toEqual(
          new Map(tasks.map((events) => [events[0]?.subject, events.length])),
        );
        expect(await dataSource.query(TOTALS)).toEqual(await dataSource.query(RECOUNT));
        const windowed = await report('1h');
        expect({ ...windowed, ...VARYING }).toEqual({ ...(await report('all')), ...VARYING });
      }),
      { numRuns: 60 },
    );
  });

  it('keeps them when replicas save the same events side by side', async () => {
    await clear();
    const tasks = fc.sample(histories, { numRuns: 30, seed: 7 }).flat();
    const told = tasks.flat().map(stateOf);
    const flushes = Array.from({ length: 12 }, (_, index) =>
      store.saveStates(latestByTask(told.filter((_state, at) => at % 4 === index % 4))),
    );
    await Promise.all(flushes);
    expect(await dataSource.query(TOTALS)).toEqual(await dataSource.query(RECOUNT));
    const [{ count }] = await dataSource.query('SELECT count(*) FROM metrics.tasks');
    expect(count).toBe(new Set(told.map((state) => state.taskId)).size);
  });

  it('tells each newly completed task once', async () => {
    await clear();
    const id = '01935000-0000-7000-8000-000000000001';
    const events = eventsOf({ id, stepMs: 2_000 }, ['queued', 'assigned', 'in_progress', 'completed']);
    const save = () => store.saveStates(latestByTask(events.map(stateOf)));
    expect(await save()).toEqual([4]);
    expect(await save()).toEqual([]);
  });

  it('withdraws the end of a task that is reopened, but never lowers the number of ends', async () => {
    await clear();
    const id = '01935000-0000-7000-8000-000000000002';
    const path = [
      'queued',
      'assigned',
      'in_progress',
      'failed',
      'queued',
      'assigned',
      'in_progress',
      'completed',
    ];
    const events = eventsOf({ id }, path as Parameters<typeof eventsOf>[1]).map(stateOf);
    const endings = () =>
      dataSource.query('SELECT status, endings FROM metrics.totals WHERE endings > 0 ORDER BY status');

    await store.saveStates(events.slice(3, 4));
    expect((await report()).ended).toEqual({ completed: 0, failed: 1, cancelled: 0 });
    await store.saveStates(events.slice(4, 5));
    expect(await report()).toMatchObject({
      states: states({ queued: 1 }),
      ended: { completed: 0, failed: 0, cancelled: 0 },
    });
    await store.saveStates(events.slice(7));
    expect((await report()).ended).toEqual({ completed: 1, failed: 0, cancelled: 0 });
    expect(await endings()).toEqual([
      { status: 'completed', endings: 1 },
      { status: 'failed', endings: 1 },
    ]);
  });

  it('refuses a value that Postgres cannot store, and nothing of that batch is saved', async () => {
    await clear();
    const [event] = eventsOf({ id: '01935000-0000-7000-8000-000000000003', type: 'a\0b' }, ['queued']);
    if (event === undefined) throw new Error('no event');
    await expect(store.saveStates([stateOf(event)])).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect((await report()).states).toEqual(states({}));
  });
});

/** What differs between windows that hold the same tasks. */
const VARYING = {
  window: null,
  windowSeconds: null,
  throughputPerHour: null,
  asOf: null,
  agents: null,
  backlog: null,
};

describe('ReportStore', () => {
  it('takes percentiles of the completed tasks of the window, by the filters given', async () => {
    await clear();
    const path = ['queued', 'assigned', 'in_progress', 'completed'] as const;
    const task = (index: number, plan: Partial<Parameters<typeof eventsOf>[0]>) =>
      eventsOf({ id: `01935000-0000-7000-8000-0000000001${index}`, ...plan }, path).map(stateOf);
    const long = Array.from({ length: 10 }, (_, index) =>
      task(10 + index, { stepMs: (index + 1) * 500, agent: 'long', type: 'build', priority: 1 }),
    );
    const dayAgo = task(30, { createdAt: Date.now() - 86_400_000, agent: 'past' });
    const short = task(31, { stepMs: 5, agent: 'short' });
    await store.saveStates(latestByTask([...long, dayAgo, short].flat()));
    const read = (query: Parameters<ReportStore['readFigures']>[0]) =>
      new ReportStore(dataSource).readFigures(query);

    const builds = await read({ window: '1h', type: 'build', agent: 'long', priority: 1 });
    expect(builds.percentilesOf).toBe(10);
    // Assigned to completed is two steps: 1 to 10 s.
    expect(builds.percentiles.duration).toEqual({ p50: 5.5, p90: 9.1, p99: 9.91 });
    expect(builds.percentiles.run.p50).toBe(2.75);
    expect((await read({ window: '1h' })).percentilesOf).toBe(11);
    expect((await read({ window: 'all' })).percentilesOf).toBe(12);
    expect((await read({ window: 'all', agent: 'past' })).ended).toMatchObject([
      { tasks: 1, durationUs: 2e6 },
    ]);
    expect((await read({ window: '1h', agent: 'past' })).ended).toEqual([]);
    expect((await read({ window: '1h', priority: 3 })).ended).toMatchObject([{ agent: 'short', tasks: 1 }]);
  });

  it('tells the age of the oldest queued task', async () => {
    await clear();
    const queued = (index: number, seconds: number) =>
      eventsOf(
        { id: `01935000-0000-7000-8000-00000000020${index}`, createdAt: Date.now() - seconds * 1_000 },
        ['queued'],
      ).map(stateOf);
    await store.saveStates([...queued(1, 60), ...queued(2, 600)]);
    const { backlog } = await report();
    expect(backlog.queued).toBe(2);
    expect(backlog.oldestSeconds).toBeGreaterThanOrEqual(600);
    expect(backlog.oldestSeconds).toBeLessThan(660);
  });
});
