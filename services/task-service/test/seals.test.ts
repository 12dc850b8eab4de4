import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, until, type TestDatabase } from '@baton/testkit';
import pg from 'pg';
import { pino } from 'pino';
import { auditSeals, createSealer } from '../src/audit/seal.service.js';
import { forgetOldSeals } from '../src/audit/seal.store.js';
import { createPool, type Pool } from '../src/database/database.js';
import { forgetOldAudit } from '../src/write-path/audit.store.js';
import { migrateEmpty } from './fixture.js';

let database: TestDatabase;
let pool: Pool;
/** Of somebody who may put triggers aside. */
let intruder: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase({ schema: 'task_service', migrate: migrateEmpty });
  pool = createPool({ url: database.url, size: 4, onError: () => undefined });
  intruder = new pg.Client({ connectionString: database.url });
  await intruder.connect();
  await intruder.query('SET session_replication_role = replica');
}, 60_000);
afterAll(async () => {
  await intruder.end();
  await pool.end();
  await database.close();
});
beforeEach(async () => {
  await intruder.query('TRUNCATE audit_log, audit_seals');
});

const DAYS = 86_400;
/** Entries so many seconds old, one a second. */
async function write(count: number, secondsAgo = 3_600): Promise<void> {
  await pool.query(
    `INSERT INTO audit_log SELECT (lpad(to_hex(((extract(epoch FROM clock_timestamp()) - $2 + n) * 1000)::bigint), 12, '0')
      || lpad(n::text, 20, '0'))::uuid, clock_timestamp(), 'user:ada', 'key.create', 'key-' || n, NULL, '{ "n": 1.0 }'
      FROM generate_series(1, $1::int) n`,
    [count, secondsAgo],
  );
}

async function seal(): Promise<void> {
  const sealer = createSealer(pool, pino({ level: 'silent' }));
  await sealer.run();
  await sealer.stop();
}

async function verify() {
  const problems: string[] = [];
  const report = await auditSeals(pool, ({ problem }) => problems.push(problem));
  expect(report.problems).toBe(problems.length);
  return { problems, sealed: report.sealed };
}

const one = (column: string) => `(SELECT ${column} FROM audit_log ORDER BY id OFFSET 4 LIMIT 1)`;

describe('the audit log', () => {
  it.each([
    ['an entry is changed', `UPDATE audit_log SET subject = 'x'`],
    ['an entry is deleted before its time', 'DELETE FROM audit_log'],
    ['all of it is emptied', 'TRUNCATE audit_log'],
    ['a seal is changed', `UPDATE audit_seals SET hash = repeat('x', 32)::bytea`],
    ['a seal is deleted', 'DELETE FROM audit_seals'],
    ['a history is changed', `UPDATE task_events SET attempt = 7`],
  ])('is refused by the database when %s', async (_, sql) => {
    await write(3);
    await seal();
    await pool.query(`INSERT INTO task_events (task_id, version, event_type, actor, attempt, event_data, created_at)
      VALUES (gen_random_uuid(), 1, 'task.created', 'user:ada', 0, '{}', clock_timestamp())`);
    await expect(pool.query(sql)).rejects.toMatchObject({ code: '42501' });
    expect(await verify()).toEqual({ problems: [], sealed: 3 });
  });

  it.each([
    [
      'changed',
      `UPDATE audit_log SET actor = 'user:eve' WHERE id = ${one('id')}`,
      ['it is not what was sealed'],
    ],
    [
      'changed by a space',
      `UPDATE audit_log SET detail = '{"n":1.0}' WHERE id = ${one('id')}`,
      ['it is not what was sealed'],
    ],
    ['removed', `DELETE FROM audit_log WHERE id = ${one('id')}`, ['it was sealed and is gone']],
    [
      'put in between',
      `INSERT INTO audit_log SELECT overlay(id::text placing 'ffff' from 33)::uuid, at, actor, action, subject, code, detail
        FROM audit_log WHERE id = ${one('id')}`,
      ['it was put among what is sealed'],
    ],
    [
      'moved to another place',
      `UPDATE audit_log SET id = overlay(id::text placing 'ffff' from 33)::uuid WHERE id = ${one('id')}`,
      ['it was sealed and is gone', 'it was put among what is sealed'],
    ],
    [
      'removed with its seal',
      `WITH gone AS (DELETE FROM audit_log WHERE id = ${one('id')} RETURNING id)
        DELETE FROM audit_seals WHERE entry_id IN (SELECT id FROM gone)`,
      ['seals 5 to 5 before its own are gone'],
    ],
    [
      'removed with its seal, whose number the next one takes',
      `WITH gone AS (DELETE FROM audit_log WHERE id = ${one('id')} RETURNING id), seal AS (
        DELETE FROM audit_seals WHERE entry_id IN (SELECT id FROM gone)) SELECT 1;
        UPDATE audit_seals SET seq = seq - 1 WHERE seq > 5`,
      ['it is not what was sealed'],
    ],
  ])('tells the one entry that was %s by who may put triggers aside', async (_, sql, expected) => {
    await write(10);
    await seal();
    expect(await verify()).toEqual({ problems: [], sealed: 10 });
    await intruder.query(sql);
    expect((await verify()).problems).toEqual(expected);
  });

  it('is sealed by one replica at a time, page by page, and goes on where it was', async () => {
    await write(2_500);
    await Promise.all([seal(), seal(), seal()]);
    await write(5, 60);
    await until(async () => {
      await seal();
      return (await verify()).sealed === 2_505;
    });
    expect((await verify()).problems).toEqual([]);
  });

  it('leaves what may still get company for later: new entries, and those behind a transaction under way', async () => {
    await write(2, 2);
    await seal();
    expect(await verify()).toEqual({ problems: [], sealed: 0 });
    const slow = await pool.connect();
    try {
      await slow.query('BEGIN');
      await slow.query(`INSERT INTO settings VALUES ('held', 'x')`);
      await write(3, 30);
      await seal();
      // Older than the transaction, so that it cannot come behind them.
      expect((await verify()).sealed).toBe(3);
    } finally {
      await slow.query('ROLLBACK');
      slow.release();
    }
  });

  it('forgets entries after 90 days, seals a day later, and is followed all the same', async () => {
    await write(5, 95 * DAYS);
    await write(5, 90.5 * DAYS);
    await write(5);
    await seal();
    const { signal } = new AbortController();
    await forgetOldAudit(pool, signal);
    expect(await verify()).toEqual({ problems: [], sealed: 15 });
    await forgetOldSeals(pool, signal);
    expect(await verify()).toEqual({ problems: [], sealed: 10 });
    await intruder.query(`UPDATE audit_log SET actor = 'user:eve' WHERE id = ${one('id')}`);
    expect((await verify()).problems).toEqual(['it is not what was sealed']);
  });
});
