import { until } from '@baton/testkit';
import { afterEach, describe, expect, it } from '@jest/globals';
import { create } from './agent.js';
import { startFixture, type Fixture, type Json } from './fixture.js';
import { barrier, countArchived, endedTasks, restore } from './history.js';
import { expectEveryTaskToReplay } from './replay.js';

/** Everything that has ended is old enough, and looked for every second. */
const environment = { BATON_RETENTION_HOT_DAYS: '0' };

let fixture: Fixture;
afterEach(() => fixture.close());

const countHot = async (): Promise<number> =>
  (await fixture.db.query('SELECT count(*)::int AS n FROM tasks')).rows[0].n;

const deadlocks = async (): Promise<number> =>
  Number(
    (await fixture.db.query('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'))
      .rows[0].deadlocks,
  );

describe('archiving', () => {
  it('goes on after a SIGKILL in the middle of a transaction; nothing is there twice, nothing is lost', async () => {
    fixture = await startFixture({ environment });
    const { reached, release } = await barrier(fixture, 'archived_task_progress');
    const ids = await endedTasks(fixture, 300);
    await reached();
    const [replica] = fixture.replicas;
    replica?.process.signal('SIGKILL');
    await replica?.process.exited;
    await release();
    // The rows of the transaction that was cut off are where they were.
    await until(async () => (await countHot()) === ids.length);
    expect(await countArchived(fixture, ids)).toBe(0);
    await fixture.restart(async () => undefined);
    await until(async () => (await countArchived(fixture, ids)) === ids.length, { timeoutMs: 30_000 });
    expect(await countHot()).toBe(0);
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBe(ids.length);
  }, 60_000);

  it('and live traffic do not get in the way of each other, with several replicas of which one is killed', async () => {
    fixture = await startFixture({ replicas: 3, environment });
    const before = await deadlocks();
    const ended: string[] = [...(await endedTasks(fixture, 100))];
    const refused: Json[] = [];
    let created = 0;
    const work = async (worker: number): Promise<void> => {
      for (let step = 0; step < 15; step++) {
        // Depends on what may be hot, in the archive, or on its way from one to the other.
        const dependencies = [0, 1, 2].map((n) => ({
          taskId: ended[(worker * 7 + step * 13 + n * 29) % ended.length] ?? '',
          policy: 'ignore',
        }));
        const { status, body } = await fixture.http('POST', '/v1/tasks', { title: 'Later', dependencies });
        if (status !== 201) refused.push(body);
        else {
          created += 1;
          const { status: cancelled } = await fixture.http('POST', `/v1/tasks/${body.id}/cancel`, {});
          if (cancelled === 200) ended.push(body.id);
        }
        if (step % 5 === 0)
          await restore(fixture.databaseUrl, [ended[(worker + step * 17) % ended.length] ?? '']);
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, worker) => work(worker)));
    expect([refused, created]).toEqual([[], 120]);
    const { reached, release } = await barrier(fixture, 'archived_task_progress');
    const late = await create(fixture);
    await fixture.http('POST', `/v1/tasks/${late}/cancel`, {});
    await reached();
    // Whichever replica stands there: the two left do what the one had begun.
    fixture.replicas[0]?.process.signal('SIGKILL');
    await release();
    await until(async () => (await countHot()) === 0, { timeoutMs: 30_000 });
    expect(await expectEveryTaskToReplay(fixture.databaseUrl)).toBe(221);
    expect(await deadlocks()).toBe(before);
  }, 60_000);
});
