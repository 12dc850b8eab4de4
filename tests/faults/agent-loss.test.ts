import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { startAgentHost, type AgentHost, type HostedAgent } from '../system/agents.js';
import { createTasks, type Acknowledged } from '../system/load.js';
import { startSystem, type System } from '../system/system.js';
import { expectTruth } from '../system/truth.js';

/** From the kill of an agent to its tasks being in the hands of another one. */
const MOVED_SECONDS = 10;
const FOREVER_MS = 600_000;

let system: System;
const hosts: AgentHost[] = [];
const acknowledged: string[] = [];
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
// Each test has the fleet to itself: the next one's first agent is the only one.
afterEach(() => Promise.all(hosts.map((host) => host.stop())), 30_000);
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.close()));
  await system?.close();
}, 30_000);

describe('tasks of agents that were killed', () => {
  it('move to the agents that are left, within ten seconds of the kill', async () => {
    // With slots to spare: what the first of them lose must not come to rest with others that are dead as well.
    const doomed = await start(fleetOf(50, 'doomed', 6), FOREVER_MS);
    await create(200);
    await untilCount('in_progress', 200);
    const rest = await start(fleetOf(20, 'rest', 12), 20);
    const [seconds] = await Promise.all([killAndTime(doomed, rest), create(100, 20)]);
    expect(percentile(seconds, 0.99)).toBeLessThanOrEqual(MOVED_SECONDS);
    const truth = await expectHeld();
    expect(truth.expiries).toBe(50);
    expect(truth.lost).toBeGreaterThanOrEqual(200);
  }, 60_000);

  it('go on with the only agent there is when it comes back', async () => {
    const only = fleetOf(1, 'only', 10);
    const first = await start(only, FOREVER_MS);
    await create(10);
    await untilCount('in_progress', 10);
    const { killedAt, held } = await kill(first);
    const second = await start(only, 20);
    const seconds = await secondsUntilMoved(held, second, killedAt);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(MOVED_SECONDS);
    await expectHeld();
  }, 60_000);

  it('go on with another agent that comes after the only one was found dead', async () => {
    const first = await start(fleetOf(1, 'lonely', 10), FOREVER_MS);
    await create(10);
    await untilCount('in_progress', 10);
    const { killedAt, held } = await kill(first);
    expect(Math.max(...(await secondsUntilFoundDead(first, killedAt)))).toBeLessThanOrEqual(MOVED_SECONDS);
    await untilCount('queued', 10);
    const came = await databaseNow();
    const second = await start(fleetOf(1, 'another', 10), 20);
    const seconds = await secondsUntilMoved(held, second, came);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(MOVED_SECONDS);
    await expectHeld();
  }, 60_000);

  it('go to the one agent that comes after all were killed at once', async () => {
    const all = await start(fleetOf(50, 'all', 2), FOREVER_MS);
    await create(100);
    await untilCount('in_progress', 100);
    const { killedAt, held } = await kill(all);
    const heir = await start(fleetOf(1, 'heir', 100), 20);
    expect(percentile(await secondsUntilFoundDead(all, killedAt), 0.99)).toBeLessThanOrEqual(MOVED_SECONDS);
    expect(percentile(await secondsUntilMoved(held, heir, killedAt), 0.99)).toBeLessThanOrEqual(
      MOVED_SECONDS,
    );
    await expectHeld();
  }, 60_000);
});

function fleetOf(count: number, name: string, maxConcurrent: number): readonly HostedAgent[] {
  return Array.from({ length: count }, (_, index) => ({ id: `${name}-${index + 1}`, maxConcurrent }));
}

async function start(agents: readonly HostedAgent[], workMs: number): Promise<AgentHost> {
  const host = await startAgentHost({ nats: system.nats, agents, workMs });
  hosts.push(host);
  return host;
}

async function create(count: number, perSecond?: number): Promise<Acknowledged> {
  const created = await createTasks({
    urls: () => system.tasks.map(({ httpUrl }) => httpUrl ?? ''),
    count,
    body: (index) => ({ title: `Task ${index}` }),
    ...(perSecond === undefined ? {} : { perSecond }),
  });
  acknowledged.push(...created.ids);
  return created;
}

async function untilCount(status: string, count: number): Promise<void> {
  await until(
    async () => {
      const [row] = await system.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM tasks WHERE status = $1',
        [status],
      );
      return row?.n === count;
    },
    { describe: `${count} tasks are ${status}` },
  );
}

/** Kills all agents of a host at once: what they held, and when it was on the clock the history is written by. */
async function kill(host: AgentHost): Promise<{ readonly killedAt: Date; readonly held: readonly string[] }> {
  const held = await system.query<{ id: string }>('SELECT id FROM tasks WHERE assigned_to = ANY($1)', [
    host.ids,
  ]);
  const killedAt = await databaseNow();
  await host.kill();
  return { killedAt, held: held.map(({ id }) => id) };
}

/** How long it took from the kill of a host until the tasks of its agents were with agents of another one. */
async function killAndTime(host: AgentHost, to: AgentHost): Promise<readonly number[]> {
  const { killedAt, held } = await kill(host);
  return secondsUntilMoved(held, to, killedAt);
}

async function databaseNow(): Promise<Date> {
  const [row] = await system.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  if (row === undefined) throw new Error('expected the time');
  return row.now;
}

/** For each task, when it was first assigned to an agent of that host; waits until all have been. */
function secondsUntilMoved(tasks: readonly string[], to: AgentHost, since: Date): Promise<readonly number[]> {
  expect(tasks.length).toBeGreaterThan(0);
  return untilRows(
    tasks.length,
    `SELECT extract(epoch FROM min(created_at) - $1)::float8 AS seconds FROM task_events
     WHERE task_id = ANY($2) AND created_at >= $1 AND event_type = 'task.assigned' AND attempt > 1
       AND event_data->'changes'->>'assignedTo' = ANY($3) GROUP BY task_id`,
    [since, tasks, to.ids],
  );
}

/** For each agent of a host, when it was found silent. */
function secondsUntilFoundDead(host: AgentHost, since: Date): Promise<readonly number[]> {
  return untilRows(
    host.ids.length,
    `SELECT extract(epoch FROM min(at) - $1)::float8 AS seconds FROM audit_log
     WHERE at >= $1 AND action = 'agent.offline' AND subject = ANY($2) GROUP BY subject`,
    [since, host.ids],
  );
}

/** The `seconds` of each row, once there are so many. */
function untilRows(count: number, text: string, values: readonly unknown[]): Promise<readonly number[]> {
  return until<readonly number[] | undefined>(
    async () => {
      const rows = await system.query<{ seconds: number }>(text, values);
      return rows.length === count ? rows.map((row) => row.seconds) : undefined;
    },
    { timeoutMs: 30_000, intervalMs: 100, describe: `${count} rows of ${text}` },
  );
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN;
}

function expectHeld() {
  return expectTruth(system, { acknowledged, agents: hosts });
}
