import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import type { ShardLease } from './lease.decide.js';

/**
 * Lets one call at a time at the leases, until the transaction ends. A process that is stopped in the middle loses
 * its transaction after a second: nobody could renew a lease meanwhile.
 */
export async function lockLeases(db: Queryable): Promise<void> {
  await db.query({
    name: 'lock-leases',
    text: `SELECT set_config('idle_in_transaction_session_timeout', '1000', true),
      pg_advisory_xact_lock(hashtext('shard leases'))`,
  });
}

/**
 * The distributor lives for another while, by the clock of the database; those whose time is up are forgotten. None
 * has more than that while before it: where one seems to, the clock was set back, and it might be dead for long.
 */
export async function saveLife(db: Queryable, instance: string, leaseMs: number): Promise<void> {
  await db.query({
    name: 'save-distributor',
    text: `WITH gone AS (DELETE FROM distributors WHERE until <= clock_timestamp() AND instance <> $1),
      capped AS (UPDATE distributors SET until = clock_timestamp() + $2 * interval '1 millisecond'
        WHERE until > clock_timestamp() + $2 * interval '1 millisecond' AND instance <> $1)
      INSERT INTO distributors VALUES ($1, clock_timestamp() + $2 * interval '1 millisecond')
      ON CONFLICT (instance) DO UPDATE SET until = excluded.until`,
    values: [instance, leaseMs],
  });
}

/** The distributor is gone. */
export async function deleteLife(db: Queryable, instance: string): Promise<void> {
  await db.query('DELETE FROM distributors WHERE instance = $1', [instance]);
}

/** All shards by number, with their latest owners. */
export async function findLeases(db: Queryable): Promise<readonly ShardLease[]> {
  const { rows } = await db.query<ShardLease>({
    name: 'find-leases',
    text: 'SELECT shard, owner, epoch FROM shard_leases ORDER BY shard',
  });
  return rows;
}

/** The distributors that live. */
export async function findLive(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ instance: string }>({
    name: 'find-distributors',
    text: 'SELECT instance FROM distributors WHERE until > clock_timestamp()',
  });
  return rows.map(({ instance }) => instance);
}

/** Writes these shards as they are now. */
export async function saveLeases(db: Queryable, leases: readonly ShardLease[]): Promise<void> {
  await db.query({
    name: 'save-leases',
    text: `UPDATE shard_leases l SET owner = u.owner, epoch = u.epoch
      FROM unnest($1::int[], $2::uuid[], $3::int[]) AS u(shard, owner, epoch) WHERE l.shard = u.shard`,
    values: [
      pgArray(leases.map(({ shard }) => shard)),
      pgArray(leases.map(({ owner }) => owner)),
      pgArray(leases.map(({ epoch }) => epoch)),
    ],
  });
}
