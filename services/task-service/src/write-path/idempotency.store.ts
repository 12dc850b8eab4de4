import type { Queryable } from '../database/database.js';
import { deleteInChunks } from '../database/forget.js';
import { pgArray } from '../database/pg-array.js';
import type { Accepted } from '../tasks/task.js';
import type { Idempotency } from './submission.js';

/** What a key stands for: what its commands came to, or what else was kept for a request that is no command. */
export type StoredKey<T = Accepted> = { readonly fingerprint: string; readonly outcome: readonly T[] | null };

/** Names a key among the keys of a batch. */
export function keyName(idempotency: Pick<Idempotency, 'scope' | 'key'>): string {
  return `${idempotency.scope}\n${idempotency.key}`;
}

/**
 * Takes the keys in sorted order, the first lock of all. A key somebody else is just taking is waited for; the
 * keys that existed are returned with what they stand for.
 */
export async function claimKeys<T = Accepted>(
  db: Queryable,
  keys: readonly Idempotency[],
): Promise<Map<string, StoredKey<T>>> {
  const columns = [pgArray(keys.map(({ scope }) => scope)), pgArray(keys.map(({ key }) => key))];
  const { rowCount } = await db.query({
    name: 'claim-keys',
    text: `INSERT INTO idempotency_keys (scope, key, fingerprint)
      SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS u(scope, key, fingerprint)
      ORDER BY u.scope, u.key ON CONFLICT DO NOTHING`,
    values: [...columns, pgArray(keys.map(({ fingerprint }) => fingerprint))],
  });
  if (rowCount === keys.length) return new Map();
  // A new statement sees what the transaction waited for has committed; keys just inserted have no outcome yet.
  const { rows } = await db.query<{ scope: string; key: string } & StoredKey<T>>({
    name: 'read-keys',
    text: `SELECT k.scope, k.key, k.fingerprint, k.outcome FROM unnest($1::text[], $2::text[]) AS u(scope, key)
      JOIN idempotency_keys k ON k.scope = u.scope AND k.key = u.key WHERE k.outcome IS NOT NULL`,
    values: columns,
  });
  return new Map(rows.map((row) => [keyName(row), row]));
}

/** What an accepted key stands for, without taking it. */
export async function findKey<T = Accepted>(
  db: Queryable,
  { scope, key }: Idempotency,
): Promise<StoredKey<T> | undefined> {
  const { rows } = await db.query<StoredKey<T>>({
    name: 'find-key',
    text: `SELECT fingerprint, outcome FROM idempotency_keys
      WHERE scope = $1 AND key = $2 AND outcome IS NOT NULL`,
    values: [scope, key],
  });
  return rows[0];
}

/** Remembers what accepted keys stand for. */
export async function keepKeys(
  db: Queryable,
  keys: readonly { readonly idempotency: Idempotency; readonly outcome: readonly object[] }[],
): Promise<void> {
  await db.query({
    name: 'keep-keys',
    text: `UPDATE idempotency_keys k SET outcome = u.outcome
      FROM unnest($1::text[], $2::text[], $3::json[]) AS u(scope, key, outcome)
      WHERE k.scope = u.scope AND k.key = u.key`,
    values: [
      pgArray(keys.map(({ idempotency }) => idempotency.scope)),
      pgArray(keys.map(({ idempotency }) => idempotency.key)),
      pgArray(keys.map(({ outcome }) => JSON.stringify(outcome))),
    ],
  });
}

/** Gives back the keys of refused commands: they may be tried again. */
export async function releaseKeys(db: Queryable, keys: readonly Idempotency[]): Promise<void> {
  await db.query({
    name: 'release-keys',
    text: `DELETE FROM idempotency_keys k USING unnest($1::text[], $2::text[]) AS u(scope, key)
      WHERE k.scope = u.scope AND k.key = u.key`,
    values: [pgArray(keys.map(({ scope }) => scope)), pgArray(keys.map(({ key }) => key))],
  });
}

/**
 * Forgets keys older than a day, chunk by chunk; those a transaction is just reading are left to the next time. Inside
 * a parent they are kept until it ends: its next attempt, however late, finds the children of the first by them.
 */
export function forgetOldKeys(db: Queryable, signal: AbortSignal): Promise<number> {
  const text = `DELETE FROM idempotency_keys WHERE (scope, key) IN (
      SELECT scope, key FROM idempotency_keys
      WHERE created_at < (SELECT clock_timestamp()) - interval '24 hours'
        AND NOT CASE WHEN scope LIKE 'parent:%' THEN EXISTS (SELECT FROM tasks t
          WHERE t.id = substr(scope, 8)::uuid AND t.status NOT IN ('completed','failed','cancelled')) ELSE false END
      ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)`;
  return deleteInChunks(db, { text }, signal);
}
