import { describe, expect, it, jest } from '@jest/globals';
import { until } from '@baton/testkit';
import { startAgentHost, type AgentHost } from '../system/agents.js';
import { createBatch } from '../system/load.js';
import { withSystem } from '../system/system.js';
import { expectTruth } from '../system/truth.js';

jest.setTimeout(240_000);

const HELD = 12;

describe('agents stopped beyond their expiry and continued', () => {
  it('find their work done by others, once, and every late result refused', () =>
    withSystem({}, async (system) => {
      const hosts: AgentHost[] = [];
      const host = async (name: string, workMs: number): Promise<AgentHost> => {
        const agents = [1, 2, 3].map((number) => ({
          id: `${name}-${number}`,
          capabilities: ['work'],
          maxConcurrent: 4,
        }));
        const started = await startAgentHost({ nats: system.nats, agents, workMs });
        hosts.push(started);
        return started;
      };
      try {
        // Asleep when their handlers would end, so that the results come the moment they wake.
        const sleepers = await host('sleeper', 3_000);
        const tasks = Array.from({ length: HELD }, (_, index) => ({
          title: `Task ${index}`,
          requiredCapabilities: [{ name: 'work' }],
        }));
        const { ids } = await createBatch(() => system.tasks.map(({ httpUrl }) => httpUrl ?? ''), tasks);
        await until(async () => (await sleepers.runs()).length === HELD);
        sleepers.pause();
        const others = await host('other', 100);
        await until(async () => (await others.runs()).length === HELD, { timeoutMs: 15_000 });
        sleepers.resume();
        await until(async () => (await sleepers.runs()).every(({ endedAt }) => endedAt !== undefined));

        const truth = await expectTruth(system, { acknowledged: ids, agents: hosts });
        expect(truth).toMatchObject({ completed: HELD, lost: HELD, restarts: HELD, expiries: 3 });
        expect((await sleepers.runs()).map(({ outcome }) => outcome)).toContain('completed');
        expect(truth.refused).toBeGreaterThan(0);
        const winners = await system.query<{ agent: string }>(
          'SELECT DISTINCT last_agent_id AS agent FROM tasks ORDER BY 1',
        );
        expect(winners.map(({ agent }) => agent)).toEqual(['other-1', 'other-2', 'other-3']);
        await others.stop();
        // Awake and known again, they take new work.
        const more = await createBatch(
          () => system.tasks.map(({ httpUrl }) => httpUrl ?? ''),
          tasks.slice(0, 3),
        );
        await expectTruth(system, { acknowledged: [...ids, ...more.ids], agents: hosts });
      } finally {
        await Promise.all(hosts.map((one) => one.close()));
      }
    }));
});
