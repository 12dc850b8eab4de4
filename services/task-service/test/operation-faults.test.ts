import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import pg from 'pg';
import { create } from './agent.js';
import { startFixture, type Fixture } from './fixture.js';
import { operationsOf } from './operation.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ replicas: 2 });
});
const holders: pg.Client[] = [];
// What a test that failed still holds up.
afterEach(() => Promise.all(holders.splice(0).map((client) => client.end())));
afterAll(() => fixture.close());
const { start, ended, createMany, changes } = operationsOf(() => fixture);

/** Keeps a task from being changed by anybody, until the function it gives is called. */
async function holdUp(taskId: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: fixture.databaseUrl });
  holders.push(client);
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE', [taskId]);
  return () => client.end();
}

/** The time for which a replica has the operation is over. */
async function expireClaim(id: string): Promise<void> {
  await fixture.db.query('UPDATE operations SET claimed_until = now() WHERE id = $1', [id]);
}

/** How often a replica took the operation. */
async function claims(id: string): Promise<number> {
  return (await fixture.db.query('SELECT epoch FROM operations WHERE id = $1', [id])).rows[0].epoch;
}

/** Waits until the operation is in the middle of a chunk: some of its tasks are changed, and it has not said so yet. */
async function untilInTheMiddle(id: string): Promise<void> {
  await until(async () => {
    const { rows } = await fixture.db.query(
      `SELECT o.matched, count(e.*)::int AS changed FROM operations o LEFT JOIN task_events e ON e.command_id = o.id
        WHERE o.id = $1 AND o.chunk IS NOT NULL GROUP BY o.matched`,
      [id],
    );
    return rows.length === 1 && rows[0].changed > rows[0].matched;
  });
}

describe('an operation by filter', () => {
  it('goes on after every process was killed in the middle of it: nothing twice, nothing lost', async () => {
    const ids = await createMany(1_000, { type: 'killed' });
    const release = await holdUp(ids[300] ?? '');
    const id = await start({ action: 'cancel', q: 'type:killed' });
    await untilInTheMiddle(id);
    for (const { process } of fixture.replicas) process.signal('SIGKILL');
    await Promise.all(fixture.replicas.map(({ process }) => process.exited));
    await release();
    const before = await fixture.db.query('SELECT matched, done FROM operations WHERE id = $1', [id]);
    expect(before.rows[0].done).toBeLessThan(1_000);
    await fixture.restart(() => expireClaim(id));
    expect(await ended(id)).toMatchObject({ status: 'done', matched: 1_000, done: 1_000, refused: {} });
    expect(await changes('killed')).toEqual([{ status: 'cancelled', times: 1, tasks: 1_000 }]);
  }, 60_000);

  it('is carried on by another replica while the first only stalls: each task is decided once, and counted once', async () => {
    const ids = await createMany(400, { type: 'stalled' });
    const release = await holdUp(ids[150] ?? '');
    const id = await start({ action: 'cancel', q: 'type:stalled' });
    await untilInTheMiddle(id);
    const first = await claims(id);
    await expireClaim(id);
    await until(async () => (await claims(id)) > first, { timeoutMs: 4_000 });
    await release();
    expect(await ended(id)).toMatchObject({ status: 'done', matched: 400, done: 400, refused: {} });
    expect(await changes('stalled')).toEqual([{ status: 'cancelled', times: 1, tasks: 400 }]);
  }, 60_000);

  it('leaves what is created meanwhile alone, and meets others at the same tasks', async () => {
    const ids = await createMany(1_500, { type: 'busy' });
    const id = await start({ action: 'cancel', q: 'type:busy' });
    const others = ids.filter((_, index) => index % 3 === 0).toReversed();
    const answers: number[] = [];
    const cancelOne = async (taskId: string) => {
      const { status } = await fixture.http('POST', `/v1/tasks/${taskId}/cancel`, { reason: 'by hand' });
      answers.push(status);
    };
    for (let from = 0; from < others.length; from += 50) {
      await Promise.all([
        create(fixture, { type: 'busy', title: 'New' }),
        ...others.slice(from, from + 50).map(cancelOne),
      ]);
    }
    const operation = await ended(id);
    const byHand = answers.filter((status) => status === 200).length;
    expect(new Set(answers)).toEqual(new Set([200, 409]));
    expect(operation.done + byHand).toBe(1_500);
    expect(operation.matched).toBe(operation.done + (operation.refused.TASK_STATE_CONFLICT ?? 0));
    expect(await changes('busy')).toEqual([
      { status: 'cancelled', times: 1, tasks: 1_500 },
      { status: 'queued', times: 0, tasks: 10 },
    ]);
  }, 60_000);

  it('ends where it is when it is cancelled: what was changed stays so, the rest is left alone', async () => {
    const ids = await createMany(1_000, { type: 'ending' });
    const release = await holdUp(ids[250] ?? '');
    const id = await start({ action: 'cancel', q: 'type:ending' });
    await untilInTheMiddle(id);
    const { body } = await fixture.http('DELETE', `/v1/operations/${id}`);
    expect(body).toMatchObject({ id, status: 'cancelling', endedAt: null });
    await release();
    const operation = await ended(id);
    expect(operation).toMatchObject({ status: 'cancelled', refused: {} });
    expect(operation.done).toBeGreaterThan(0);
    expect(operation.done).toBeLessThan(1_000);
    const left = 1_000 - operation.done;
    expect(await changes('ending')).toEqual([
      { status: 'cancelled', times: 1, tasks: operation.done },
      { status: 'queued', times: 0, tasks: left },
    ]);
    expect((await fixture.http('DELETE', `/v1/operations/${id}`)).body).toEqual(operation);
  }, 60_000);
});
