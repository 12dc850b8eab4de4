import { lowestId } from '../tasks/task-id.js';

const MONTHS_AHEAD = 3;

/** Runs a statement and gives its rows. */
type Run = (statement: string) => Promise<readonly unknown[]>;

/**
 * Makes sure `task_events` has partitions for this month of the database's clock and the next three. The key is the
 * task's UUIDv7, whose first 48 bits are its creation time in milliseconds (RFC 9562, 5.7). Safe to run twice and by
 * several replicas.
 */
export async function ensurePartitions(run: Run): Promise<void> {
  const [time] = (await run('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now')) as {
    now: unknown;
  }[];
  const now = new Date(Number(time?.now));
  for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead++) {
    await run(partitionOf(now.getUTCFullYear(), now.getUTCMonth() + ahead));
  }
}

/**
 * Rows of the month that came before its partition (the database's clock jumped ahead) are in the default partition,
 * and while they are, the month can get none: they move with it.
 */
function partitionOf(year: number, month: number): string {
  const from = new Date(Date.UTC(year, month));
  const [lowest, end] = [lowestId(from.getTime()), lowestId(Date.UTC(year, month + 1))];
  const name = `task_events_${from.toISOString().slice(0, 7).replace('-', '_')}`;
  return `DO $$ BEGIN
    IF to_regclass('${name}') IS NOT NULL THEN RETURN; END IF;
    PERFORM pg_advisory_xact_lock(hashtext('task-service partitions'));
    IF to_regclass('${name}') IS NOT NULL THEN RETURN; END IF;
    -- Whoever reads or writes events waits behind one that waits for this lock.
    PERFORM set_config('lock_timeout', '3s', true);
    LOCK TABLE task_events_default IN ACCESS EXCLUSIVE MODE;
    CREATE TABLE ${name} (LIKE task_events INCLUDING ALL);
    WITH moved AS (
      DELETE FROM task_events_default WHERE task_id >= '${lowest}' AND task_id < '${end}' RETURNING *
    ) INSERT INTO ${name} SELECT * FROM moved;
    ALTER TABLE task_events ATTACH PARTITION ${name} FOR VALUES FROM ('${lowest}') TO ('${end}');
  END $$`;
}
