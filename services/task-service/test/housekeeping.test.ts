import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@baton/testkit';
import { pino } from 'pino';
import { createPool, type Pool, type Queryable } from '../src/database/database.js';
import { createMaintenance } from '../src/waiting/maintenance.service.js';
import { tellSuppressedTo, writeAudit } from '../src/write-path/audit.service.js';
import { forgetOldKeys } from '../src/write-path/idempotency.store.js';
import { inboxRows, toldOfEnd } from '../src/write-path/inbox.rows.js';
import { migrateEmpty } from './fixture.js';
import { createdFixture } from './task.fixture.js';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase({ schema: 'task_service', migrate: migrateEmpty });
  pool = createPool({ url: database.url, size: 2, onError: () => undefined });
});
afterAll(async () => {
  await pool.end();
  await database.close();
});

/** A UUIDv7 of so many days ago for row `n`, as SQL. */
const idOf = (days: number) =>
  `(lpad(to_hex((extract(epoch FROM clock_timestamp() - interval '${days} days') * 1000)::bigint), 12, '0')
    || '7000' || lpad(to_hex(n), 16, '0'))::uuid`;

async function addKeys(count: number, age: string): Promise<void> {
  await pool.query(
    `INSERT INTO idempotency_keys SELECT 'user:test', '${age} ' || n, '', '[]', clock_timestamp() - interval '${age}'
      FROM generate_series(1, ${count}) n`,
  );
}

const left = async (table: string): Promise<number> =>
  (await pool.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0].n;

describe('housekeeping', () => {
  it('forgets old keys in statements of bounded size, and no younger ones', async () => {
    await addKeys(5_000, '25 hours');
    await addKeys(10, '23 hours');
    const sizes: number[] = [];
    const counting = {
      query: async (text: string, values: unknown[]) => {
        const result = await pool.query(text, values);
        sizes.push(result.rowCount ?? 0);
        return result;
      },
    } as unknown as Queryable;
    expect(await forgetOldKeys(counting, new AbortController().signal)).toBe(5_000);
    expect(sizes).toEqual([2_000, 2_000, 1_000]);
    expect(await left('idempotency_keys')).toBe(10);
  });

  it('stops between two statements when the process ends', async () => {
    await addKeys(3_000, '26 hours');
    await forgetOldKeys(pool, AbortSignal.abort());
    expect(await left('idempotency_keys')).toBe(3_010);
  });

  it('forgets keys, inbox rows, sessions and audit entries past their time, also while partitions cannot be made', async () => {
    for (const days of [29, 31]) {
      await pool.query(`INSERT INTO agent_inbox SELECT ${idOf(days)}, 'a', gen_random_uuid(), 'completed', NULL,
        clock_timestamp(), clock_timestamp() FROM generate_series(1, 10) n`);
    }
    for (const days of [89, 91]) {
      await pool.query(`INSERT INTO audit_log SELECT ${idOf(days)}, clock_timestamp(), 'agent:a', 'x', 'x', NULL, '{}'
        FROM generate_series(1, 10) n`);
    }
    await pool.query(
      `INSERT INTO agents VALUES ('a', 'a', '', '[]', 1, 0, '{}', 1, 1, 'online', 3, NULL, now())`,
    );
    await pool.query(`INSERT INTO agent_sessions SELECT 'a', gen_random_uuid(), n, now(),
      clock_timestamp() - CASE n WHEN 4 THEN interval '29 days' ELSE interval '31 days' END FROM generate_series(1, 4) n`);
    const housekeeping = createMaintenance(pool, 'postgres://127.0.0.1:1/none', pino({ level: 'silent' }));
    await housekeeping.run();
    await housekeeping.stop();
    expect([await left('idempotency_keys'), await left('agent_inbox'), await left('audit_log')]).toEqual([
      10, 10, 10,
    ]);
    const { rows } = await pool.query('SELECT epoch FROM agent_sessions ORDER BY epoch');
    expect(rows.map(({ epoch }) => epoch)).toEqual([3, 4]);
  });
});

describe('what retention goes by', () => {
  const timeOf = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

  it('is the time of the database, whatever that of this machine', async () => {
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 200 * 86_400_000);
    try {
      await writeAudit(pool, [{ actor: 'user:clock', action: 'x', subject: 'y', code: null, detail: {} }]);
      const { rows } = await pool.query(`SELECT id, at FROM audit_log WHERE actor = 'user:clock'`);
      expect(Math.abs(timeOf(rows[0].id) - rows[0].at)).toBeLessThan(1_000);
      const ended = {
        ...createdFixture(),
        status: 'failed',
        createdBy: 'agent:a',
        updatedAt: 5_000_000,
      } as const;
      expect(inboxRows([toldOfEnd(ended, new Map())]).map(({ id }) => timeOf(id))).toEqual([5_000_000]);
    } finally {
      clock.mockRestore();
    }
  });
});

describe('the audit log', () => {
  it('keeps a thousand refusals of one sender at once, says once that it keeps no more, and keeps what users do', async () => {
    await pool.query(
      'ALTER TABLE audit_log DISABLE TRIGGER USER; DELETE FROM audit_log; ALTER TABLE audit_log ENABLE TRIGGER USER',
    );
    const entries = (actor: string) =>
      Array.from({ length: 1_500 }, () => ({ actor, action: 'x', subject: 'y', code: null, detail: {} }));
    const lines: { actor: string; msg: string }[] = [];
    tellSuppressedTo(pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }));
    await writeAudit(pool, entries('agent:flood'));
    expect(await left('audit_log')).toBe(1_000);
    expect(lines).toEqual([expect.objectContaining({ actor: 'agent:flood' })]);
    await writeAudit(pool, entries('user:admin'));
    expect(await left('audit_log')).toBe(2_500);
  });
});
