import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { checkoutDirectory } from '@baton/stack';
import { asAdmin, connectOperator, until } from '@baton/testkit';
import type { Json } from './system/http.js';
import { metricOf } from './system/metrics.js';
import { withSystem, type System } from './system/system.js';
import { withWork } from './system/work.js';

jest.setTimeout(240_000);

/** Of each agent that `withWork` starts. */
const SLOTS = 4;

describe('the figures', () => {
  it('are those of the tables after two crashes and a lost stream, in the API and for Prometheus, and built anew', () =>
    withSystem({}, async (system) => {
      const [service] = system.metrics;
      if (service === undefined) throw new Error('no metrics-service');
      await withWork(system, { tasks: 250, perSecond: 50, workMs: [20, 200] }, async (work) => {
        await work.untilCompleted(40);
        await work.untilInProgress();
        await service.kill();
        // What happens now only the history knows.
        await work.untilCompleted(80);
        await loseStream(system);
        await service.start();
        await service.ready();
        await work.untilCompleted(130);
        await work.untilInProgress();
        await service.kill();
        await service.start();
        await service.ready();
      });
      await cancelSome(system, 7);
      await reconciled(system);

      const before = await kept(system);
      await rebuild(system);
      await until(async () => expect(await kept(system)).toEqual(before) ?? true, { timeoutMs: 40_000 });
      await reconciled(system);
    }));
});

/** Removes the stream of task events with all that is in it, as a lost disk would. */
async function loseStream({ nats }: System): Promise<void> {
  const connection = await connectOperator(nats);
  try {
    await connection.request('$JS.API.STREAM.DELETE.TASKS', '');
  } finally {
    await connection.close();
  }
}

async function cancelSome(system: System, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    const { body } = await system.http({
      method: 'POST',
      path: '/tasks',
      body: { title: 'Held', hold: true },
    });
    await system.http({ method: 'POST', path: `/tasks/${body.id}/cancel`, body: {} });
  }
}

async function reconciled(system: System): Promise<void> {
  await until(async () => expect(await told(system)).toEqual(await truth(system)) ?? true, {
    timeoutMs: 40_000,
    describe: 'the figures agree with the tables',
  });
  const [service] = system.metrics;
  if (service === undefined) throw new Error('no metrics-service');
  const report = await read(system, 'tasks?window=1h&percentiles=50,90,99');
  for (const [measure, times] of Object.entries(await timesOf(system))) {
    for (const percent of [50, 90, 99]) {
      const exact = times[Math.floor((percent / 100) * (times.length - 1))] ?? Number.NaN;
      const sketched = report[measure][`p${percent}`];
      expect({ measure, percent, near: Math.abs(sketched - exact) <= exact * 0.0101 + 1e-6 }).toMatchObject({
        near: true,
      });
      const labels = { measure, quantile: String(percent / 100) };
      expect(await metricOf(service, 'baton_task_quantile_seconds', labels)).toBe(sketched);
    }
  }
  const { agents } = await read(system, 'agents?window=1h');
  const worked = await workedOf(system);
  for (const { agentId, utilization, onlineSeconds } of agents) {
    const seconds = utilization * SLOTS * onlineSeconds;
    const exact = worked.get(agentId) ?? Number.NaN;
    expect({ agentId, near: Math.abs(seconds - exact) <= exact * 0.01 + 0.01 }).toMatchObject({ near: true });
  }
  const total = (name: string, labels = {}) => metricOf(service, name, labels);
  expect({
    created: await total('baton_tasks_created_total'),
    queued: await total('baton_tasks_queued_total'),
    assigned: await total('baton_tasks_assigned_total'),
    started: await total('baton_tasks_started_total'),
    completed: await total('baton_tasks_ended_total', { status: 'completed' }),
    failed: await total('baton_tasks_ended_total', { status: 'failed' }),
    cancelled: await total('baton_tasks_ended_total', { status: 'cancelled' }),
  }).toEqual((await truth(system)).counts);
}

async function read({ metrics: [service] }: System, path: string): Promise<Json> {
  const response = await fetch(`${service?.httpUrl}/v1/metrics/${path}`, { headers: asAdmin });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return response.json();
}

/** What the API tells. */
async function told(system: System) {
  const { states, ended, recovery, ...report } = await read(system, 'tasks?window=all');
  const { agents } = await read(system, 'agents?window=all');
  return {
    states: notZero(states),
    counts: {
      created: report.created,
      queued: report.queued,
      assigned: report.assigned,
      started: report.started,
      ...ended,
    },
    recoveries: notZero(recovery.reasons),
    agents: Object.fromEntries(agents.map(({ agentId, ended: { completed } }: Json) => [agentId, completed])),
  };
}

/** The same, counted in the tables of task-service. */
async function truth({ query }: System) {
  const counted = async (text: string): Promise<Record<string, number>> => {
    const rows = await query<{ key: string; n: number }>(text);
    return Object.fromEntries(rows.map(({ key, n }) => [key, n]));
  };
  const events = await counted(`SELECT event_type AS key, count(*)::int AS n FROM task_events GROUP BY 1`);
  const [queued] = await query<{ n: number }>(`SELECT count(*)::int AS n FROM task_events
    WHERE event_data->'changes'->>'status' = 'queued' AND event_type IN ('task.created', 'task.queued')`);
  const of = (type: string) => events[`task.${type}`] ?? 0;
  return {
    states: await counted('SELECT status AS key, count(*)::int AS n FROM tasks GROUP BY 1'),
    counts: {
      created: of('created'),
      queued: queued?.n ?? 0,
      assigned: of('assigned'),
      started: of('started'),
      completed: of('completed'),
      failed: of('failed'),
      cancelled: of('cancelled'),
    },
    recoveries: await counted(`SELECT reason AS key, count(*)::int AS n FROM (
        SELECT event_type, reason, lag(event_type) OVER (PARTITION BY task_id ORDER BY version) AS before
        FROM task_events) e
      WHERE event_type = 'task.queued' AND before IN ('task.assigned', 'task.started') GROUP BY 1`),
    agents: await counted(
      `SELECT last_agent_id AS key, count(*)::int AS n FROM tasks WHERE status = 'completed' GROUP BY 1`,
    ),
  };
}

/** Seconds that completed tasks took, shortest first. */
async function timesOf({ query }: System): Promise<Readonly<Record<string, readonly number[]>>> {
  const rows = await query<Record<string, number>>(`SELECT
      extract(epoch FROM completed_at - assigned_at)::float8 AS duration,
      extract(epoch FROM completed_at - started_at)::float8 AS run,
      extract(epoch FROM assigned_at - first_queued_at)::float8 AS wait,
      extract(epoch FROM completed_at - created_at)::float8 AS "endToEnd"
    FROM tasks WHERE status = 'completed'`);
  const measures = ['duration', 'run', 'wait', 'endToEnd'];
  return Object.fromEntries(
    measures.map((measure) => [
      measure,
      rows.map((row) => row[measure] ?? Number.NaN).toSorted((one, other) => one - other),
    ]),
  );
}

/** Seconds that each agent had tasks in progress, each task counted for itself. */
async function workedOf({ query }: System): Promise<ReadonlyMap<string, number>> {
  const rows = await query<{
    agent: string;
    seconds: number;
  }>(`SELECT agent, sum(seconds)::float8 AS seconds FROM (
      SELECT event_type, event_data->'changes'->>'lastAgentId' AS own, split_part(actor, ':', 2) AS agent,
        extract(epoch FROM lead(created_at) OVER (PARTITION BY task_id ORDER BY version) - created_at) AS seconds
      FROM task_events) e WHERE event_type = 'task.started' GROUP BY 1`);
  return new Map(rows.map(({ agent, seconds }) => [agent, seconds]));
}

/** Everything that follows from the history, but when it was written and rows of nothing. */
async function kept({ query }: System): Promise<object> {
  const rows = (table: string, where = 'true') =>
    query(
      `SELECT (to_jsonb(t) - 'changed_at')::text AS row FROM metrics.${table} t WHERE ${where} ORDER BY 1`,
    );
  return {
    tasks: await rows('tasks'),
    totals: await rows('totals', 'tasks <> 0'),
    rollups: await rows('rollups'),
    recoveries: await rows('recoveries'),
    delegations: await rows('delegations'),
  };
}

/** As `npm run metrics:rebuild` does with servers of one's own. */
async function rebuild({ postgres }: System): Promise<void> {
  const program = join(checkoutDirectory, 'packages/stack/dist/cli/metrics-rebuild.js');
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, DATABASE_URL: '', BATON_METRICS_DATABASE_URL: postgres.metricsUrl },
    stdio: 'inherit',
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
}

function notZero(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
