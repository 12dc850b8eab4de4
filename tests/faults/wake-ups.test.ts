import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createAgent,
  DomainError,
  TaskAborted,
  TaskFailure,
  type Agent,
  type TaskContext,
} from '@baton/agent';
import { agentLogin, until } from '@baton/testkit';
import fc from 'fast-check';
import pg from 'pg';
import { startAgentHost, type AgentHost } from '../system/agents.js';
import { createBatch, createGraph, type Body } from '../system/load.js';
import { startSystem, type System } from '../system/system.js';
import { expectTruth } from '../system/truth.js';

const SEED = Number(process.env['BATON_TEST_SEED'] ?? Date.now() % 1_000_000);
const ROUNDS = 300;
const WORKERS = 6;
/** Far below the 30 s of the reconciler: it would heal what was missed, and must not be needed. */
const WOKEN_SECONDS = 5;
const SETTLED_MS = 10_000;

/** When something is done, after all in a round stood ready. */
const moment = fc.integer({ min: 0, max: 20 });
const someTarget = fc.record({
  end: fc.constantFrom('complete', 'fail', 'nothing'),
  endAt: moment,
  /** A target that does not end by itself is cancelled in any case. */
  cancelAt: fc.option(moment, { nil: undefined, freq: 2 }),
  spawnAt: fc.array(moment, { maxLength: 2 }),
});
const someDependents = fc.record({
  /** Which of the round's targets the first of them waits for. */
  on: fc.uniqueArray(fc.nat({ max: 2 }), { minLength: 1, maxLength: 3 }),
  at: moment,
  /** How many more wait, each for the one before it. */
  chain: fc.nat({ max: 3 }),
  cancelAt: fc.option(moment, { nil: undefined, freq: 4 }),
});
const someRound = fc.record({
  targets: fc.array(someTarget, { minLength: 1, maxLength: 3 }),
  dependents: fc.array(someDependents, { minLength: 1, maxLength: 4 }),
  /** How long creates with dependencies are held up between their look at the targets and their commit. */
  heldUpMs: fc.constantFrom(0, 0, 10, 30),
});
type Round = typeof someRound extends fc.Arbitrary<infer Value> ? Value : never;
type Target = Round['targets'][number];

let system: System;
let quick: AgentHost;
let holders: readonly Agent[];
let locks: pg.Pool;
const acknowledged: string[] = [];
/** The handlers of targets, which wait for their round to say how they end. */
const held = new Map<string, { readonly context: TaskContext; end(how: () => unknown): void }>();

beforeAll(async () => {
  system = await startSystem({ tasks: 2 });
  locks = new pg.Pool({ connectionString: system.postgres.url, max: WORKERS });
  quick = await startAgentHost({
    nats: system.nats,
    agents: ['quick-1', 'quick-2'].map((id) => ({ id, capabilities: ['be-quick'], maxConcurrent: 50 })),
    workMs: 0,
  });
  holders = ['holder-1', 'holder-2'].map((id) =>
    createAgent({
      id,
      ...agentLogin(system.nats, id),
      capabilities: ['be-held'],
      maxConcurrent: 50,
      handler: (task, context) =>
        new Promise((resolve, reject) => {
          const end = (how: () => unknown) => Promise.resolve().then(how).then(resolve, reject);
          held.set(task.id, { context, end: (how) => void end(how) });
          context.signal.addEventListener('abort', () => resolve(null));
        }),
    }),
  );
  await Promise.all(holders.map((agent) => agent.start()));
}, 60_000);
afterAll(async () => {
  await Promise.all((holders ?? []).map((agent) => agent.stop({ mode: 'leave' })));
  await quick?.close();
  await locks?.end();
  await system?.close();
}, 30_000);

describe('what waits for something that ends at the same time', () => {
  it(`is woken at once, and no child outlives a cancelled parent (seed ${SEED})`, async () => {
    const rounds = fc.sample(someRound, { numRuns: ROUNDS, seed: SEED }).values();
    await Promise.all(
      Array.from({ length: WORKERS }, async () => {
        for (const round of rounds) await run(round);
      }),
    );
    await until(async () => (await unfinished()) === 0, {
      timeoutMs: SETTLED_MS,
      intervalMs: 100,
      describe: describeUnfinished,
    });
    for (const { id } of await system.query<{ id: string }>(`SELECT id FROM tasks WHERE status = 'queued'`)) {
      await cancel(id);
    }
    const truth = await expectTruth(system, { acknowledged, agents: [quick] });
    expect(truth.expiries).toBe(0);
    expect(await slowest(DEPENDENTS_WOKEN)).toBeLessThan(WOKEN_SECONDS);
    expect(await slowest(CHILDREN_CANCELLED)).toBeLessThan(WOKEN_SECONDS);
    // A run in which nothing met would prove nothing.
    const met = await system.query<{ what: string }>(WHAT_MET);
    expect(met.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        'completed',
        'failed dependency_failed',
        'cancelled parent_cancelled',
        'cancelled parent_failed',
        'cancelled asked',
      ]),
    );
  }, 180_000);
});

/** One round: some tasks that agents hold; then, all at once, their ends, their cancels, new dependents and children. */
async function run(round: Round): Promise<void> {
  const { ids } = await createBatch(
    urls,
    round.targets.map((_, index) => ({ title: `target ${index}`, ...needs('be-held'), maxRetries: 0 })),
  );
  acknowledged.push(...ids);
  await until(() => ids.every((id) => held.has(id)), { describe: 'agents hold the targets of a round' });
  const { released } = await holdUpDependencies(round.heldUpMs);
  await Promise.all([
    ...round.targets.flatMap((target, index) => endTarget(ids[index] ?? '', target)),
    ...round.dependents.map((dependents) => addDependents(ids, dependents)),
    released,
  ]);
  for (const id of ids) held.delete(id);
}

type Released = Promise<void>;

/**
 * Lets creates with dependencies look at what they depend on, but not write: a target that ends meanwhile was not over
 * when they looked, and whoever reacts to its end does not see them yet.
 */
async function holdUpDependencies(milliseconds: number): Promise<{ readonly released: Released }> {
  if (milliseconds === 0) return { released: Promise.resolve() };
  const client = await locks.connect();
  await client.query('BEGIN; LOCK TABLE task_dependencies IN SHARE MODE');
  const released = delay(milliseconds)
    .then(() => client.query('COMMIT'))
    .then(() => client.release());
  return { released };
}

function endTarget(id: string, { end, endAt, cancelAt, spawnAt }: Target): readonly Promise<unknown>[] {
  const handler = held.get(id);
  const fail = () => {
    throw new TaskFailure('asked_to', 'a target that was to fail', { retryable: false });
  };
  const cancels = end === 'nothing' ? (cancelAt ?? endAt) : cancelAt;
  return [
    ...(end === 'nothing' ? [] : [delay(endAt).then(() => handler?.end(end === 'fail' ? fail : () => null))]),
    ...(cancels === undefined ? [] : [delay(cancels).then(() => cancel(id))]),
    ...spawnAt.map((at) => delay(at).then(() => spawn(handler?.context))),
  ];
}

/** Nobody can do the child: only a cancel ends it. Its parent may be over by now. */
async function spawn(context: TaskContext | undefined): Promise<void> {
  try {
    const child = await context?.spawn({ title: 'child', ...needs('be-nobody') });
    if (child !== undefined) acknowledged.push(child.id);
  } catch (error) {
    const isOver = error instanceof TaskAborted || error instanceof DomainError;
    if (!isOver) throw error;
  }
}

async function addDependents(
  targets: readonly string[],
  { on, at, chain, cancelAt }: Round['dependents'][number],
): Promise<void> {
  await delay(at);
  const awaited = [...new Set(on.map((index) => targets[index % targets.length]))];
  const { ids } = await createGraph(
    urls,
    Array.from({ length: chain + 1 }, (_, index) => ({
      ref: `link-${index}`,
      title: `dependent ${index}`,
      ...needs('be-quick'),
      dependencies: index === 0 ? awaited.map((taskId) => ({ taskId })) : [{ ref: `link-${index - 1}` }],
    })),
  );
  acknowledged.push(...ids);
  if (cancelAt === undefined) return;
  await delay(cancelAt);
  await cancel(ids[chain >> 1] ?? '');
}

async function cancel(id: string): Promise<void> {
  const replica = system.tasks[Math.floor(Math.random() * system.tasks.length)];
  const path = `/tasks/${id}/cancel`;
  const { status, body } = await system.http({ method: 'POST', path, body: { reason: 'asked' } }, replica);
  if (status >= 300 && body.code !== 'TASK_STATE_CONFLICT')
    throw new Error(`cancel: ${JSON.stringify(body)}`);
}

function needs(name: string): Body {
  return { requiredCapabilities: [{ name }] };
}

function urls(): readonly string[] {
  return system.tasks.map(({ httpUrl }) => httpUrl ?? '');
}

const UNFINISHED = `FROM tasks t LEFT JOIN tasks p ON p.id = t.parent_task_id
  WHERE t.status NOT IN ('completed','failed','cancelled') AND (p.id IS NULL OR p.status = 'cancelled')`;

/** Children of parents that were not cancelled may wait for ever. */
async function unfinished(): Promise<number> {
  const [row] = await system.query<{ n: number }>(`SELECT count(*)::int AS n ${UNFINISHED}`);
  return row?.n ?? Number.NaN;
}

async function describeUnfinished(): Promise<string> {
  const rows = await system.query(
    `SELECT t.title, t.status, t.status_reason AS reason, min(t.id::text) AS example, count(*)::int AS tasks
     ${UNFINISHED} GROUP BY 1, 2, 3`,
  );
  return `nothing waits any more; there are ${JSON.stringify(rows)}`;
}

async function slowest(text: string): Promise<number> {
  const [row] = await system.query<{ seconds: number }>(text);
  return row?.seconds ?? Number.NaN;
}

/** From the end that decides over a blocked task, or its own creation, to its next version. */
const DEPENDENTS_WOKEN = `
  SELECT max(extract(epoch FROM e.created_at - greatest(t.created_at, w.decided_at)))::float8 AS seconds
  FROM tasks t JOIN task_events e ON e.task_id = t.id AND e.version = 2
  JOIN LATERAL (
    SELECT coalesce(min(o.completed_at) FILTER (WHERE o.status <> 'completed'), max(o.completed_at)) AS decided_at
    FROM task_dependencies d JOIN tasks o ON o.id = d.depends_on WHERE d.task_id = t.id
  ) w ON w.decided_at IS NOT NULL
  JOIN task_events c ON c.task_id = t.id AND c.version = 1 AND c.event_data->'changes'->>'status' = 'blocked'`;

const CHILDREN_CANCELLED = `
  SELECT max(extract(epoch FROM c.completed_at - greatest(c.created_at, p.completed_at)))::float8 AS seconds
  FROM tasks c JOIN tasks p ON p.id = c.parent_task_id WHERE p.status = 'cancelled'`;

const WHAT_MET = `
  SELECT DISTINCT concat_ws(' ', status, status_reason) AS what FROM tasks
  WHERE title LIKE 'dependent%' OR title = 'child'`;
