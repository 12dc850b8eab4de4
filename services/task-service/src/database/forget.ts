import type { Queryable } from './database.js';

/** Rows of one statement: milliseconds of locks, whatever has gathered. */
const CHUNK = 2_000;

/**
 * Runs a DELETE that takes a limit as its last parameter until it finds nothing more, or until `signal` is aborted:
 * the rest is left to the next time. Says how many rows went.
 */
export async function deleteInChunks(
  db: Queryable,
  { text, values = [] }: { readonly text: string; readonly values?: readonly unknown[] },
  signal: AbortSignal,
): Promise<number> {
  let deleted = 0;
  for (let found = CHUNK; found === CHUNK && !signal.aborted; deleted += found) {
    const { rowCount } = await db.query(text, [...values, CHUNK]);
    found = rowCount ?? 0;
  }
  return deleted;
}

/** SQL for the lowest UUIDv7 of `days` ago by the database's clock: ids made before are lower. */
export function idOfDaysAgo(days: number): string {
  const milliseconds = `(extract(epoch FROM clock_timestamp() - interval '${days} days') * 1000)::bigint`;
  return `(SELECT (lpad(to_hex(${milliseconds}), 12, '0') || repeat('0', 20))::uuid)`;
}
