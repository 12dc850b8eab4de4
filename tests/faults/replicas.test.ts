import { describe, expect, it } from '@jest/globals';
import { SHARDS } from '@baton/contracts';
import { until } from '@baton/testkit';
import fc from 'fast-check';
import { startAgentHost, type AgentHost, type HostedAgent } from '../system/agents.js';
import { createTasks, type Acknowledged } from '../system/load.js';
import { metricOf } from '../system/metrics.js';
import { withSystem, type System } from '../system/system.js';
import { expectTruth, installCapacityAlarm } from '../system/truth.js';

const TASKS = 2_000;
const AGENTS = 40;
const SEED = Number(process.env['BATON_TEST_SEED'] ?? Date.now() % 1_000_000);

// By Zipf's law: the first skill is wanted twenty times as often as the last, and as many agents have it.
const SKILLS = Array.from({ length: 20 }, (_, rank) => ({
  weight: Math.round(1_000 / (rank + 1)),
  arbitrary: fc.constant(`skill-${rank + 1}`),
}));
const someSkill = fc.oneof(...SKILLS);

const skillsOfAgents = fc.record({
  skills: fc.uniqueArray(someSkill, { minLength: 1, maxLength: 4 }),
  maxConcurrent: fc.integer({ min: 1, max: 8 }),
  prefetch: fc.integer({ min: 0, max: 1 }),
});

describe('two of each service', () => {
  it(`share the work, and one distributor takes over from the other when it is killed (seed ${SEED})`, async () => {
    await withSystem({ tasks: 2, distributions: 2, metrics: 2 }, async (system) => {
      await installCapacityAlarm(system);
      const hosts = await startAgents(system);
      try {
        const [{ ids }] = await Promise.all([create(system), loseDistributor(system)]);
        expect(new Set(ids).size).toBe(TASKS);
        const truth = await expectTruth(system, { acknowledged: ids, agents: hosts });
        expect(truth).toMatchObject({ tasks: TASKS, completed: TASKS, expiries: 0 });
        for (const service of system.tasks) {
          for (const arrow of ['create', 'assign', 'complete']) {
            expect(await metricOf(service, 'baton_task_changes_total', { arrow })).toBeGreaterThan(0);
          }
        }
      } finally {
        await Promise.all(hosts.map((host) => host.close()));
      }
    });
  }, 240_000);
});

/** Kills one of two distributors that both work; resolves when the other has all shards and placed tasks since. */
async function loseDistributor(system: System): Promise<void> {
  await untilCompleted(system, TASKS / 4);
  const { distributions } = system;
  const [lost, left] = distributions;
  if (lost === undefined || left === undefined) throw new Error('expected two distributors');
  expect(await placedBy(lost)).toBeGreaterThan(0);
  const before = await placedBy(left);
  expect(before).toBeGreaterThan(0);
  await lost.kill();
  await until(async () => (await shardsOf([left])) === SHARDS && (await placedBy(left)) > before, {
    describe: `the distributor that is left has all ${SHARDS} shards and places tasks`,
  });
}

/** Two processes with half of the agents each. */
function startAgents({ nats }: System): Promise<readonly AgentHost[]> {
  const agents = someAgents();
  return Promise.all(
    [0, 1].map((half) =>
      startAgentHost({
        nats,
        agents: agents.filter((_, index) => index % 2 === half),
        workMs: [20, 150],
        seed: SEED + half,
      }),
    ),
  );
}

function create(system: System): Promise<Acknowledged> {
  const skills = fc.sample(someSkill, { numRuns: TASKS, seed: SEED });
  return createTasks({
    urls: () => system.tasks.map(({ httpUrl }) => httpUrl ?? ''),
    count: TASKS,
    inFlight: 64,
    body: (index) => ({
      title: `Task ${index}`,
      requiredCapabilities: [{ name: skills[index] }],
      priority: 1 + (index % 5),
    }),
  });
}

/** Every skill has an agent that can do nothing else; the rest have what is wanted, and slots as it comes. */
function someAgents(): readonly HostedAgent[] {
  const drawn = fc.sample(skillsOfAgents, { numRuns: AGENTS, seed: SEED });
  return drawn.map(({ skills, maxConcurrent, prefetch }, index) => ({
    id: `agent-${index + 1}`,
    capabilities: index < SKILLS.length ? [`skill-${index + 1}`] : skills,
    maxConcurrent,
    prefetch,
  }));
}

function placedBy(distributor: System['distributions'][number]): Promise<number> {
  return metricOf(distributor, 'baton_distribution_decisions_total', { outcome: 'placed' });
}

/** How many shards of the agents they own together. */
async function shardsOf(distributors: System['distributions']): Promise<number> {
  const owned = distributors.map((distributor) => metricOf(distributor, 'baton_distribution_shards'));
  return (await Promise.all(owned)).reduce((sum, count) => sum + count, 0);
}

async function untilCompleted(system: System, count: number): Promise<void> {
  await until(
    async () => {
      const [row] = await system.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM tasks WHERE status = 'completed'`,
      );
      return (row?.n ?? 0) >= count;
    },
    { timeoutMs: 30_000, describe: `${count} tasks complete` },
  );
}
