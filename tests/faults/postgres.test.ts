import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { createTasks } from '../system/load.js';
import { startPostgresWire, type PostgresWire } from '../system/postgres-wire.js';
import { withSystem } from '../system/system.js';
import { withWork } from '../system/work.js';

jest.setTimeout(240_000);

describe('Postgres stopped hard and started', () => {
  it('costs no acknowledged task, and the services go on by themselves', () =>
    withSystem({}, async (system) => {
      const pids = () => system.replicas.map((replica) => replica.pid());
      const before = pids();
      await withWork(system, { perSecond: 80, workMs: [50, 250] }, async (work) => {
        for (const completed of [60, 200]) {
          await work.untilCompleted(completed);
          await work.untilInProgress();
          await system.postgres.crash();
          await system.postgres.start();
        }
      });
      expect(pids()).toEqual(before);
      await Promise.all(system.replicas.map((replica) => replica.ready()));
    }));

  it.each(['given to another one', 'not given to any yet'])(
    'does not lose a task whose transaction was lost with its number %s',
    async (fate) => {
      let wire: PostgresWire | undefined;
      const via = { postgres: async (url: string) => (wire = await startPostgresWire(url)) };
      await withSystem({ via }, async (system) => {
        const { postgres, query } = system;
        // So that the transaction is not written out by the way before the crash.
        await query(`ALTER SYSTEM SET wal_writer_delay = '10 s'`);
        await query('SELECT pg_reload_conf()');
        const held = wire?.holdCommit({ text: 'Lost in the crash', at: 'request' });
        const creating = createTasks({
          urls: () => system.tasks.map(({ httpUrl }) => httpUrl ?? ''),
          count: 1,
          body: () => ({ title: 'Lost in the crash' }),
        });
        await held;
        const [lost] = await query<{ id: number }>(
          'SELECT max(backend_xid::text::int) AS id FROM pg_stat_activity',
        );
        await postgres.crash();
        wire?.cut();
        await postgres.start();
        const next = async () =>
          (await query<{ id: number }>('SELECT pg_snapshot_xmax(pg_current_snapshot())::text::int AS id'))[0]
            ?.id;
        expect(await next()).toBeLessThanOrEqual(lost?.id ?? 0);
        if (fate === 'given to another one') {
          while (((await next()) ?? 0) <= (lost?.id ?? 0)) await query('SELECT pg_current_xact_id()');
        }
        wire?.restore();
        const { ids } = await creating;
        expect(await query('SELECT id, version FROM tasks')).toEqual([{ id: ids[0], version: 1 }]);
      });
    },
  );
});

describe('Postgres paused for 10 s', () => {
  it('holds everything up and loses nothing', () =>
    withSystem({}, async (system) => {
      await withWork(system, { perSecond: 30, workMs: [50, 250] }, async (work) => {
        await work.untilCompleted(30);
        await work.untilInProgress();
        const pausedAt = performance.now();
        await system.postgres.pause();
        await delay(10_000);
        await system.postgres.resume();
        await work.untilCompleted(60);
        expect(performance.now() - pausedAt).toBeLessThan(25_000);
      });
    }));
});
