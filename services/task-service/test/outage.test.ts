import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { assign, create, hello, statusOf, verb } from './agent.js';
import { startFixture, type Fixture } from './fixture.js';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

const outboxRows = async (): Promise<number> =>
  (await fixture.db.query('SELECT count(*)::int AS n FROM outbox')).rows[0].n;

describe('NATS away', () => {
  it('still creates tasks, and publishes their events once it is back', async () => {
    await fixture.nats.stop();
    const ids = [await create(fixture), await create(fixture), await create(fixture)];
    expect(ids).toHaveLength(3);
    expect(await outboxRows()).toBe(3);
    await fixture.nats.restart('kept');
    await until(async () => (await outboxRows()) === 0, { timeoutMs: 15_000 });
  });

  it('goes on with what was waiting when the stream lost everything', async () => {
    await until(() => hello(fixture, 'survivor'), { timeoutMs: 10_000 });
    const first = await create(fixture);
    const dependent = await create(fixture, { dependencies: [{ taskId: first }] });
    const { attempt } = await assign(fixture, first, 'survivor');
    await verb(fixture, 'survivor', 'start', { taskId: first, attempt, epoch: 1 });
    await until(async () => (await outboxRows()) === 0);
    // The end reaches Postgres alone: its event is in a store that is thrown away.
    await fixture.db.query(
      `UPDATE tasks SET status = 'completed', completed_at = now(), assigned_to = NULL, version = version + 1 WHERE id = $1`,
      [first],
    );
    await fixture.nats.restart('emptied');
    await until(async () => (await statusOf(fixture, dependent)) === 'queued', {
      timeoutMs: 40_000,
      describe: 'unblocked',
    });
  }, 60_000);
});
