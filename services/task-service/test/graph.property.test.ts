import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import fc from 'fast-check';
import { assign, create, hello, verb } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { expectEveryTaskToReplay } from './replay.js';

/**
 * Graphs of any shape under ends in any order, against real Postgres and two replicas. What is expected is written
 * down here once more, in SQL that shares nothing with the service.
 */
const SEED = Number(process.env['BATON_TEST_SEED'] ?? Date.now() % 1_000_000);

let fixture: Fixture;
let epoch: number;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
  ({ epoch } = await hello(fixture, 'worker', { maxConcurrent: 1_000 }));
});
afterAll(() => fixture.close());

const policy = fc.constantFrom('fail', 'cancel', 'ignore', 'wait');
const step = fc.record({
  does: fc.constantFrom('complete', 'complete', 'fail', 'cancel', 'reopen', 'link', 'unlink'),
  task: fc.nat(),
  other: fc.nat(),
  policy,
  /** Whether the next step waits for the answer of this one. */
  isAwaited: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Each node depends on some of those before it. */
const graph = fc.integer({ min: 2, max: 7 }).chain((nodes) =>
  fc.tuple(
    ...Array.from({ length: nodes }, (_, node) =>
      fc.uniqueArray(fc.record({ on: fc.nat({ max: Math.max(0, node - 1) }), policy }), {
        maxLength: node === 0 ? 0 : 3,
        selector: ({ on }) => on,
      }),
    ),
  ),
);

/** Edges by which a task must not have been handed out: looked at the moment its assignment was accepted. */
async function unmetOf(taskId: string): Promise<readonly Json[]> {
  const { rows } = await fixture.db.query(
    `SELECT d.depends_on, d.policy, o.status FROM task_dependencies d JOIN tasks o ON o.id = d.depends_on
      WHERE d.task_id = $1 AND o.status <> 'completed'
        AND NOT (d.policy = 'ignore' AND EXISTS (SELECT 1 FROM task_events e
          WHERE e.task_id = o.id AND e.event_type IN ('task.failed','task.cancelled')))`,
    [taskId],
  );
  return rows;
}

/** Tasks that wait although nothing holds them back, or although something ended that ends them too. */
async function forgotten(ids: readonly string[]): Promise<readonly Json[]> {
  const { rows } = await fixture.db.query(
    `SELECT t.id FROM tasks t LEFT JOIN task_dependencies d ON d.task_id = t.id LEFT JOIN tasks o ON o.id = d.depends_on
      WHERE t.id = ANY($1) AND t.status = 'blocked' GROUP BY t.id
      HAVING bool_or(o.status IN ('failed','cancelled') AND d.policy IN ('fail','cancel'))
        OR NOT coalesce(bool_or(o.status NOT IN ('completed','failed','cancelled')
          OR (o.status <> 'completed' AND d.policy = 'wait')), false)`,
    [ids],
  );
  return rows;
}

async function take(ids: readonly string[], { does, task, other, policy: how }: Step): Promise<void> {
  const id = ids[task % ids.length] ?? '';
  const target = ids[other % ids.length] ?? '';
  if (does === 'cancel' || does === 'reopen') {
    await fixture.http('POST', `/v1/tasks/${id}/${does}`, {});
    return;
  }
  if (does === 'link' || does === 'unlink') {
    const body = does === 'link' ? { policy: how } : undefined;
    await fixture.http(does === 'link' ? 'PUT' : 'DELETE', `/v1/tasks/${id}/dependencies/${target}`, body);
    return;
  }
  const { ok, attempt } = await assign(fixture, id, 'worker');
  if (ok !== true) return;
  expect(await unmetOf(id)).toEqual([]);
  await verb(fixture, 'worker', 'start', { taskId: id, attempt, epoch });
  const said = { result: null, error: { message: 'broken', retryable: false } };
  await verb(fixture, 'worker', does, { taskId: id, attempt, epoch, ...said });
}

describe(`any graph under any order of ends (seed ${SEED})`, () => {
  it('has no task handed out early, and none left waiting for what can no longer happen', async () => {
    let ended = 0;
    await fc.assert(
      fc.asyncProperty(graph, fc.array(step, { minLength: 5, maxLength: 25 }), async (nodes, steps) => {
        const tasks = nodes.map((edges, index) => ({
          ref: `n${index}`,
          title: `n${index}`,
          dependencies: edges.map(({ on, policy: how }) => ({ ref: `n${on}`, policy: how })),
        }));
        const { body } = await fixture.http('POST', '/v1/tasks/graph', { tasks });
        const ids: readonly string[] = body.tasks.map(({ id }: Json) => id);
        const running: Promise<void>[] = [];
        for (const one of steps) {
          running.push(take(ids, one));
          if (one.isAwaited) await running.at(-1);
        }
        await Promise.all(running);
        // Far less than the reconciler's 30 s: what is due must come by itself.
        await until(async () => (await forgotten(ids)).length === 0, {
          describe: async () => JSON.stringify({ forgotten: await forgotten(ids), tasks, steps }),
        });
        const { rows } = await fixture.db.query(
          `SELECT count(*)::int AS n FROM tasks WHERE id = ANY($1) AND completed_at IS NOT NULL`,
          [ids],
        );
        ended += rows[0].n;
      }),
      { numRuns: 40, seed: SEED, endOnFailure: true },
    );
    // Graphs in which nothing ever ended would prove nothing.
    expect(ended).toBeGreaterThan(60);
  }, 120_000);

  it('wakes a parent when enough of its children have ended, and not before', async () => {
    const outcome = fc.constantFrom('complete', 'fail', 'cancel');
    const awaited = fc.oneof(fc.constantFrom('all', 'any'), fc.integer({ min: 1, max: 6 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(outcome, { minLength: 1, maxLength: 5 }),
        awaited,
        fc.nat(),
        async (outcomes, children, before) => {
          const taskId = await create(fixture);
          const { attempt } = await assign(fixture, taskId, 'worker');
          const parent = { taskId, attempt, epoch };
          await verb(fixture, 'worker', 'start', parent);
          const tasks = outcomes.map(() => ({ title: 'child' }));
          const spawned = await fixture.ask('agent.worker.call.spawn', { parent, tasks });
          const ids: readonly string[] = spawned.tasks.map(({ id }: Json) => id);
          const needed =
            children === 'all' ? ids.length : Math.min(ids.length, children === 'any' ? 1 : children);
          const end = (index: number) =>
            take([ids[index] ?? ''], { ...ONE, does: outcomes[index] ?? 'cancel' });
          const early = before % (outcomes.length + 1);
          // Some end while it begins to wait, the others after.
          const beginning = verb(fixture, 'worker', 'block', { ...parent, reason: 'children', children });
          await Promise.all([beginning, ...outcomes.slice(0, early).map((_, index) => end(index))]);
          for (let index = early; index < needed - 1; index++) {
            await end(index);
            expect(await statusNow(taskId)).toBe('blocked');
          }
          for (let index = Math.max(early, needed - 1); index < needed; index++) await end(index);
          await until(async () => (await statusNow(taskId)) === 'queued', {
            describe: `${children} of ${outcomes.length}`,
          });
        },
      ),
      { numRuns: 25, seed: SEED, endOnFailure: true },
    );
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBeGreaterThan(100);
  }, 120_000);
});

const ONE = { task: 0, other: 0, policy: 'fail', isAwaited: true } as const;

async function statusNow(taskId: string): Promise<string> {
  const { rows } = await fixture.db.query('SELECT status FROM tasks WHERE id = $1', [taskId]);
  return rows[0].status;
}
