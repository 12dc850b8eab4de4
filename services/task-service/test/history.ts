import { pino } from 'pino';
import { until } from '@baton/testkit';
import { createArchiver } from '../src/archive/archive.service.js';
import { createExporter } from '../src/archive/export.service.js';
import { findArchived, restoreTrees } from '../src/archive/archived.store.js';
import { ARCHIVED_TABLES, partitionName } from '../src/database/archive-tables.js';
import { createPool, type Client } from '../src/database/database.js';
import { inTransaction } from '../src/database/transaction.js';
import type { Fixture, Json } from './fixture.js';

const SILENT = pino({ level: 'silent' });

/** One run of the archive over what ended before `hotSeconds` (0) ago; says how many tasks it moved. */
export async function archive(databaseUrl: string, hotSeconds = 0): Promise<number> {
  const { loop, counts } = createArchiver({ databaseUrl, hotSeconds, logger: SILENT });
  await loop.run();
  await loop.stop();
  return counts.tasks;
}

/** Runs `work` in a transaction of its own. */
export async function inOneTransaction<T>(
  databaseUrl: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const pool = createPool({ url: databaseUrl, size: 1, onError: () => undefined });
  try {
    return await inTransaction(pool, work);
  } finally {
    await pool.end();
  }
}

/** Moves the trees of these tasks back, as a command that changes one of them would. */
export function restore(databaseUrl: string, ids: readonly string[]): Promise<void> {
  return inOneTransaction(databaseUrl, async (client) =>
    restoreTrees(client, await findArchived(client, ids)),
  );
}

/** One run of the export of months that ended `keptSeconds` (0) ago. */
export async function exportMonths(
  databaseUrl: string,
  directory: string | undefined,
  keptSeconds = 0,
): Promise<number> {
  const { loop, counts } = createExporter({ databaseUrl, keptSeconds, directory, logger: SILENT });
  await loop.run();
  await loop.stop();
  return counts.tasks;
}

/** Makes it seem that everything that is archived now was archived in a month long ago. */
export async function age(fixture: Fixture, month: string): Promise<void> {
  const { rows } = await fixture.db.query(`SELECT ($1::date + interval '1 month')::date::text AS "end"`, [
    month,
  ]);
  for (const { table } of ARCHIVED_TABLES) {
    await fixture.db.query(`CREATE TABLE ${partitionName(table, month)} PARTITION OF archived_${table}
      FOR VALUES FROM ('${month}') TO ('${rows[0].end}')`);
    await fixture.db.query(`UPDATE archived_${table} SET month = $1`, [month]);
  }
  await fixture.db.query('INSERT INTO archive_months (month) VALUES ($1)', [month]);
}

export async function stateOf(fixture: Fixture, month: string): Promise<string> {
  return (await fixture.db.query('SELECT state FROM archive_months WHERE month = $1', [month])).rows[0].state;
}

/** How many of these tasks are in the archive. */
export async function countArchived(fixture: Fixture, ids: readonly string[]): Promise<number> {
  const text = 'SELECT count(*)::int AS n FROM archived_tasks WHERE id = ANY($1::uuid[])';
  return (await fixture.db.query(text, [ids])).rows[0].n;
}

/** Everything the API tells of a task. */
export async function everythingOf(fixture: Fixture, id: string): Promise<Json> {
  const paths = ['', '/history', '/decision'].map((path) => `/v1/tasks/${id}${path}`);
  const [task, history, decision] = await Promise.all(paths.map((path) => fixture.http('GET', path)));
  return { task: task?.body, history: history?.body, decision: decision?.body };
}

/** Creates that many tasks and calls them off. */
export async function endedTasks(
  fixture: Fixture,
  count: number,
  fields: () => object = () => ({}),
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let left = count; left > 0; left -= 1_000) {
    const tasks = Array.from({ length: Math.min(left, 1_000) }, () => ({
      title: 'To be called off',
      ...fields(),
    }));
    const { body } = await fixture.http('POST', '/v1/tasks/batch', { atomic: true, tasks });
    ids.push(...body.tasks.map(({ id }: Json) => id));
  }
  for (let done = 0; done < ids.length; done += 100) {
    await Promise.all(
      ids
        .slice(done, done + 100)
        .map((id) => fixture.http('POST', `/v1/tasks/${id}/cancel`, { reason: 'test' })),
    );
  }
  return ids;
}

/**
 * Keeps a table locked until `release`: whoever moves rows into it stops in the middle of its transaction.
 * `reached` resolves when somebody waits there.
 */
export async function barrier(fixture: Fixture, table: string) {
  const pool = createPool({ url: fixture.databaseUrl, size: 1, onError: () => undefined });
  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  return {
    reached: () =>
      until(
        async () => {
          const { rows } = await fixture.db.query(
            `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${table}%' AND pid <> pg_backend_pid()`,
          );
          return rows.length > 0;
        },
        { timeoutMs: 20_000 },
      ),
    release: async () => {
      await client.query('ROLLBACK');
      client.release();
      await pool.end();
    },
  };
}
