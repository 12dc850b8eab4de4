import { createAgent, type Agent, type TaskHandler } from '@baton/agent';
import { describe, expect, it } from '@jest/globals';
import { agentLogin, until } from '@baton/testkit';
import type { Json } from './system/http.js';
import { withSystem, type System } from './system/system.js';

/** Started and ready; none of them knows when it ends. */
async function withAgents(system: System, handler: TaskHandler, test: () => Promise<void>): Promise<void> {
  const agents: Agent[] = ['a', 'b', 'c', 'd'].map((id) =>
    createAgent({ id, ...agentLogin(system.nats, id), maxConcurrent: 10, handler }),
  );
  try {
    for (const agent of agents) await agent.start();
    await test();
  } finally {
    for (const agent of agents) await agent.stop({ mode: 'leave' });
  }
}

async function create(
  system: System,
  type: string,
  count: number,
  input: object = {},
): Promise<readonly string[]> {
  const tasks = Array.from({ length: count }, () => ({ title: 'A task', type, input }));
  const { body } = await system.http({ method: 'POST', path: '/tasks/batch', body: { tasks } });
  return body.results.map(({ id }: Json) => id);
}

async function countOf(system: System, type: string, status: string): Promise<number> {
  const text = 'SELECT count(*)::int AS n FROM tasks WHERE type = $1 AND status = $2';
  const [row] = await system.query<{ n: number }>(text, [type, status]);
  return row?.n ?? 0;
}

const waitingOf = async (system: System, id = ''): Promise<Json> =>
  (await system.http({ method: 'GET', path: `/tasks/${id}/decision` })).body.waiting;
const say = (system: System, word: 'pause' | 'resume') => system.http({ method: 'POST', path: `/${word}` });
const put = (system: System, type: string, body: object) =>
  system.http({ method: 'PUT', path: `/types/${type}`, body });

/** Time for whoever would do what must not be done: tasks of another type are brought to agents meanwhile. */
async function letOthersGoOn(system: System): Promise<void> {
  for (let round = 1; round <= 3; round++) {
    await create(system, 'other', 10);
    await until(async () => (await countOf(system, 'other', 'completed')) === 10 * round);
  }
}

const TWO_OF_EACH = { tasks: 2, distributions: 2 };
const TIMEOUT_MS = 100_000;

describe('a pause', () => {
  it(
    'of a type holds back its tasks alone, lets running ones go on, and ends at once',
    () =>
      withSystem(TWO_OF_EACH, async (system) => {
        const release: (() => void)[] = [];
        const handler: TaskHandler = ({ input }) =>
          input['slow'] === true ? new Promise<string>((done) => release.push(() => done('slow'))) : 'done';
        await withAgents(system, handler, async () => {
          await put(system, 'batch', {});
          const [running = ''] = await create(system, 'batch', 1, { slow: true });
          await until(() => release.length === 1);
          await put(system, 'batch', { paused: true });
          const ids = await create(system, 'batch', 50);
          await letOthersGoOn(system);
          expect(await countOf(system, 'batch', 'queued')).toBe(50);
          expect(await waitingOf(system, ids[0])).toMatchObject({
            reason: 'PAUSED',
            evidence: { scope: 'type' },
          });
          for (const go of release) go();
          const isDone = async () =>
            (await system.http({ method: 'GET', path: `/tasks/${running}` })).body.status === 'completed';
          await until(isDone);
          await put(system, 'batch', { paused: false });
          const resumedAt = performance.now();
          await until(async () => (await countOf(system, 'batch', 'completed')) === 51);
          expect(performance.now() - resumedAt).toBeLessThan(3_000);
        });
      }),
    TIMEOUT_MS,
  );

  it(
    'of everything outlives the processes that were told of it',
    () =>
      withSystem(TWO_OF_EACH, async (system) => {
        await withAgents(
          system,
          () => 'done',
          async () => {
            expect((await say(system, 'pause')).body).toMatchObject({ paused: true, by: 'user:local' });
            const ids = await create(system, 'any', 20);
            for (const replica of [...system.distributions, ...system.tasks]) {
              await replica.kill();
              await replica.start();
              await replica.ready();
            }
            const more = await create(system, 'any', 20);
            const reason = async () => (await waitingOf(system, more[0])).reason;
            await until(async () => (await reason()) === 'PAUSED');
            // Each distributor has looked for waiting tasks since, some times: it does so once a second.
            const asked = performance.now();
            await until(() => performance.now() - asked > 3_000);
            expect(await countOf(system, 'any', 'queued')).toBe(ids.length + more.length);
            expect((await say(system, 'resume')).body).toMatchObject({ paused: false, since: null });
            await until(async () => (await countOf(system, 'any', 'completed')) === 40);
          },
        );
      }),
    TIMEOUT_MS,
  );
});

describe('maxConcurrent of a type', () => {
  it(
    'is never exceeded, and wastes no time',
    () =>
      withSystem(TWO_OF_EACH, async (system) => {
        await put(system, 'narrow', { maxConcurrent: 2 });
        const handler = () => new Promise<string>((done) => setTimeout(() => done('done'), 50));
        await withAgents(system, handler, async () => {
          const startedAt = performance.now();
          const ids = await create(system, 'narrow', 60);
          const busy = async () => (await waitingOf(system, ids.at(-1)))?.reason === 'TYPE_AT_CAPACITY';
          await until(busy);
          await until(async () => (await countOf(system, 'narrow', 'completed')) === 60, {
            timeoutMs: 20_000,
          });
          // 60 tasks of 50 ms by twos take 1.5 s; found but once a second, they would take 30.
          expect(performance.now() - startedAt).toBeLessThan(15_000);
          const moves = await system.query<{ held: string }>(
            `SELECT sum(step) OVER (ORDER BY at, step) AS held FROM (
            SELECT created_at AS at, CASE event_type WHEN 'task.assigned' THEN 1 ELSE -1 END AS step
            FROM task_events WHERE event_type IN ('task.assigned', 'task.completed')
              AND task_id IN (SELECT id FROM tasks WHERE type = 'narrow')) AS moves`,
          );
          expect(moves).toHaveLength(120);
          expect(Math.max(...moves.map(({ held }) => Number(held)))).toBe(2);
        });
      }),
    TIMEOUT_MS,
  );
});
