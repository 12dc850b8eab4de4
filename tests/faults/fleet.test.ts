import { describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import fc from 'fast-check';
import { startAgentHost, type AgentHost, type HostedAgent } from '../system/agents.js';
import { createBatch } from '../system/load.js';
import { metricOf } from '../system/metrics.js';
import { withSystem, type System } from '../system/system.js';
import { expectTruth, installCapacityAlarm } from '../system/truth.js';

// BATON_TEST_FLEET=200x5000 asks for the whole fleet; this one fits among the other tests.
const [AGENTS = 0, TASKS = 0] = (process.env['BATON_TEST_FLEET'] ?? '60x1000').split('x').map(Number);
const SEED = Number(process.env['BATON_TEST_SEED'] ?? Date.now() % 1_000_000);
const BATCH = 500;
/** The leases of a dead distributor run for four seconds, then its turns are others'; the rest is the machine. */
const GRACE_SECONDS = 10;

// By Zipf's law: the first skill is wanted twenty times as often as the last, and as many agents have it.
const SKILLS = Array.from({ length: 20 }, (_, rank) => ({
  weight: Math.round(1_000 / (rank + 1)),
  arbitrary: fc.constant(`skill-${rank + 1}`),
}));
const someSkill = fc.oneof(...SKILLS);
const someAgent = fc.record({
  skills: fc.uniqueArray(someSkill, { minLength: 1, maxLength: 4 }),
  maxConcurrent: fc.integer({ min: 1, max: 2 }),
});

describe('a fleet of agents of unequal skills, and more work than it can do at once', () => {
  it(`works it off in order of priority, whichever distributor dies (${AGENTS} agents, ${TASKS} tasks, seed ${SEED})`, async () => {
    await withSystem({ tasks: 2, distributions: 3 }, async (system) => {
      await installCapacityAlarm(system);
      await system.http({ method: 'POST', path: '/pause' });
      const hosts = await startAgents(system);
      try {
        const acknowledged = await create(system);
        await system.http({ method: 'POST', path: '/resume' });
        const conflictsOfLost = await loseDistributor(system);
        const truth = await expectTruth(system, { acknowledged, agents: hosts, settleMs: 90_000 });
        expect(truth).toMatchObject({ tasks: TASKS, completed: TASKS, expiries: 0 });
        expect(await findOvertaken(system)).toEqual([]);
        await expectEarlierFirst(system);
        const conflicts = conflictsOfLost + (await sumOf(system.distributions.slice(1), CONFLICTS));
        const share = (conflicts / (TASKS + truth.reassignments)).toFixed(3);
        process.stdout.write(
          `${AGENTS} agents, ${TASKS} tasks, 3 distributors: ${share} conflicts per assignment\n`,
        );
        expect(Number(share)).toBeLessThan(1);
      } finally {
        await Promise.all(hosts.map((host) => host.close()));
      }
    });
  }, 240_000);
});

const CONFLICTS = 'baton_distribution_assign_conflicts_total';

/** Two processes with half of the agents each; every skill has an agent that can do nothing else. */
function startAgents({ nats }: System): Promise<readonly AgentHost[]> {
  const agents = fc
    .sample(someAgent, { numRuns: AGENTS, seed: SEED })
    .map(({ skills, maxConcurrent }, index): HostedAgent => ({
      id: `agent-${index + 1}`,
      capabilities: index < SKILLS.length ? [`skill-${index + 1}`] : skills,
      maxConcurrent,
    }));
  return Promise.all(
    [0, 1].map((half) =>
      startAgentHost({
        nats,
        agents: agents.filter((_, index) => index % 2 === half),
        workMs: [200, 900],
        seed: SEED + half,
      }),
    ),
  );
}

async function create(system: System): Promise<readonly string[]> {
  const skills = fc.sample(someSkill, { numRuns: TASKS, seed: SEED });
  const bodies = skills.map((name, index) => ({
    title: `Task ${index}`,
    requiredCapabilities: [{ name }],
    priority: 1 + (index % 5),
  }));
  const urls = () => system.tasks.map(({ httpUrl }) => httpUrl ?? '');
  const ids: string[] = [];
  for (let start = 0; start < TASKS; start += BATCH) {
    ids.push(...(await createBatch(urls, bodies.slice(start, start + BATCH))).ids);
  }
  return ids;
}

/** Kills one of the distributors in the middle of the work; says how many conflicts it had. */
async function loseDistributor({ distributions, query }: System): Promise<number> {
  const [lost] = distributions;
  if (lost === undefined) throw new Error('expected distributors');
  const done = async () => {
    const [row] = await query<{ n: number }>(
      `SELECT count(*)::int AS n FROM tasks WHERE status = 'completed'`,
    );
    return row?.n ?? 0;
  };
  await until(async () => (await done()) >= TASKS / 5, { timeoutMs: 60_000 });
  expect(await metricOf(lost, 'baton_distribution_decisions_total', { outcome: 'placed' })).toBeGreaterThan(
    0,
  );
  const conflicts = await metricOf(lost, CONFLICTS);
  await lost.kill();
  expect(await done()).toBeLessThan(TASKS);
  return conflicts;
}

async function sumOf(replicas: System['distributions'], metric: string): Promise<number> {
  const counts = await Promise.all(replicas.map((replica) => metricOf(replica, metric)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * Tasks of priority 5 that agents got while a critical one for the same agents, whose queue key is earlier, had waited
 * and went on waiting: for longer than a distributor may be away, and on a slow machine than half of it all took.
 */
function findOvertaken({ query }: System): Promise<readonly object[]> {
  return query(
    `WITH given AS (SELECT t.id, t.required_capabilities::text AS asked, t.queue_key, t.priority, t.first_queued_at,
          (SELECT min(e.created_at) FROM task_events e
            WHERE e.task_id = t.id AND e.event_type = 'task.assigned') AS at FROM tasks t),
        patience AS (SELECT greatest(make_interval(secs => $1), (max(at) - min(at)) / 2) AS long FROM given)
      SELECT late.id, early.id AS overtaken, early.at - late.at AS by
      FROM given late JOIN given early ON early.asked = late.asked AND early.queue_key < late.queue_key, patience
      WHERE late.priority = 5 AND early.priority = 1
        AND early.first_queued_at < late.at AND early.at > late.at + long LIMIT 5`,
    [GRACE_SECONDS],
  );
}

/** On the whole: those of each priority got their agents earlier than those of the next. */
async function expectEarlierFirst({ query }: System): Promise<void> {
  const rows = await query<{ priority: number }>(
    `SELECT t.priority FROM tasks t JOIN task_events e ON e.task_id = t.id AND e.event_type = 'task.assigned'
      GROUP BY t.priority ORDER BY avg(extract(epoch FROM e.created_at))`,
  );
  expect(rows.map(({ priority }) => priority)).toEqual([1, 2, 3, 4, 5]);
}
