import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { createTasks } from '../system/load.js';
import { startPostgresWire, type PostgresWire } from '../system/postgres-wire.js';
import { withSystem, type System } from '../system/system.js';
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

  it.each(['given to another one', 'not given to any yet'] as const)(
    'does not lose a task whose transaction was lost with its number %s',
    async (fate) => {
      let opened: PostgresWire | undefined;
      const via = { postgres: async (url: string) => (opened = await startPostgresWire(url)) };
      await withSystem({ via, metrics: 0, distributions: 0 }, async (system) => {
        const wire = opened as PostgresWire;
        // So that the transaction is not written out by the way before the crash.
        await system.query(`ALTER SYSTEM SET wal_writer_delay = '10 s'`);
        await system.query('SELECT pg_reload_conf()');
        const created: string[] = [];
        for (let lost = false; !lost;) {
          const title = `Create ${created.length + 1}`;
          const creating = createHeld(system, wire, title);
          const id = await creating.transaction;
          await system.postgres.crash();
          wire.cut();
          await system.postgres.start();
          // Whoever commits in that very moment writes out what came before: the number is lost no more.
          lost = (await nextTransaction(system)) <= id;
          if (lost && fate === 'given to another one') await useUp(system, id);
          wire.restore();
          created.push(...(await creating.done).ids);
        }
        expect(await system.query('SELECT id, version FROM tasks ORDER BY created_at')).toEqual(
          created.map((id) => ({ id, version: 1 })),
        );
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

/** Creates a task whose COMMIT does not reach the server; `transaction` is its number there. */
function createHeld({ tasks, query }: System, wire: PostgresWire, title: string) {
  const held = wire.holdCommit({ text: title, at: 'request' });
  const urls = () => tasks.map(({ httpUrl }) => httpUrl ?? '');
  const done = createTasks({ urls, count: 1, body: () => ({ title }) });
  const running = 'SELECT max(backend_xid::text::int) AS id FROM pg_stat_activity';
  const transaction = held.then(() => query<{ id: number }>(running)).then(([row]) => row?.id ?? 0);
  return { done, transaction };
}

async function nextTransaction({ query }: System): Promise<number> {
  const next = 'SELECT pg_snapshot_xmax(pg_current_snapshot())::text::int AS id';
  const [row] = await query<{ id: number }>(next);
  return row?.id ?? 0;
}

async function useUp(system: System, id: number): Promise<void> {
  while ((await nextTransaction(system)) <= id) await system.query('SELECT pg_current_xact_id()');
}
