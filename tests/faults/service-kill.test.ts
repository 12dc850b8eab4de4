import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { asAdmin, until } from '@baton/testkit';
import type { Replica } from '../system/replica.js';
import { withSystem, type System } from '../system/system.js';
import { withWork, type Work } from '../system/work.js';

jest.setTimeout(240_000);

const TASKS = 500;
/** What `npm start` waits before it starts a service again. */
const SUPERVISOR_PAUSE_MS = 500;

describe('kill -9 of each service in turn while 500 tasks and more run', () => {
  it('loses nothing, does nothing twice, and the figures agree with the tables', () =>
    withSystem({}, async (system) => {
      const { tasks, distributions, metrics } = system;
      const { acknowledged } = await withWork(
        system,
        { tasks: TASKS, perSecond: 60, workMs: [50, 250] },
        async (work) => {
          // Metrics first: what it had not acknowledged comes again after half a minute.
          await strike(metrics[0], work, 50);
          await strike(tasks[0], work, 130);
          await strike(distributions[0], work, 220);
        },
      );
      expect(new Set(acknowledged.ids).size).toBeGreaterThanOrEqual(TASKS);
      expect(acknowledged.repeated).toBeGreaterThan(0);
      await until(async () => expect(await figuresOf(system)).toEqual(await tablesOf(system)) ?? true, {
        timeoutMs: 45_000,
        describe: 'the figures agree with the tables',
      });
    }));
});

/** Kills it in the middle of work, and starts it again as a supervisor would. */
async function strike(service: Replica | undefined, work: Work, completed: number): Promise<void> {
  await work.untilCompleted(completed);
  await work.untilInProgress();
  await service?.kill();
  await delay(SUPERVISOR_PAUSE_MS);
  await service?.start();
  await service?.ready();
}

type Figures = {
  readonly states: Readonly<Record<string, number>>;
  readonly ended: Readonly<Record<string, number>>;
  readonly agents: Readonly<Record<string, number>>;
};

/** What metrics-service tells. */
async function figuresOf({ metrics: [service] }: System): Promise<Figures> {
  const response = await fetch(`${service?.httpUrl}/v1/metrics/tasks?window=all`, { headers: asAdmin });
  // oxlint-disable-next-line typescript/no-explicit-any
  const report: any = await response.json();
  // oxlint-disable-next-line typescript/no-explicit-any
  const fleet: any = await (
    await fetch(`${service?.httpUrl}/v1/metrics/agents?window=all`, { headers: asAdmin })
  ).json();
  const agents = fleet.agents.map(({ agentId, ended }: { agentId: string; ended: { completed: number } }) => [
    agentId,
    ended.completed,
  ]);
  return {
    states: notZero(report.states),
    ended: notZero(report.ended),
    agents: Object.fromEntries(agents),
  };
}

/** The same, counted in the tables of task-service. */
async function tablesOf({ query }: System): Promise<Figures> {
  const counted = async (expression: string) => {
    const rows = await query<{ key: string; n: number }>(
      `SELECT ${expression} AS key, count(*)::int AS n FROM tasks GROUP BY 1`,
    );
    return Object.fromEntries(rows.map(({ key, n }) => [key, n]));
  };
  const states = await counted('status');
  return { states, ended: states, agents: await counted('last_agent_id') };
}

function notZero(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
