import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import { HELD_OF_TYPE } from '../tasks/held.store.js';
import type { Holds } from './hold.decide.js';

/** What is held back, and the time after the locks (milliseconds). */
export type LockedHolds = { readonly holds: Holds; readonly now: number | undefined };

/**
 * Locks the types that hold back, the last lock of a batch, and counts what is held of those that are limited. The
 * count is a statement of its own, as that of agents; two ranges of an index for each, as long as its limit.
 */
export async function lockHolds(db: Queryable, types: readonly string[]): Promise<LockedHolds> {
  const locked = await db.query<{ type: string; paused: boolean; most: number | null }>({
    name: 'lock-types',
    text: `SELECT type, paused, max_concurrent AS most FROM task_types
      WHERE type = ANY($1::text[]) AND (paused OR max_concurrent IS NOT NULL) ORDER BY type FOR NO KEY UPDATE`,
    values: [pgArray(types)],
  });
  const limited = locked.rows.filter(({ most }) => most !== null).map(({ type }) => type);
  const counted = await db.query<{ type: string | null; held: number; all: boolean; now: number }>({
    name: 'count-held-of-types',
    text: `SELECT u.type, clock_timestamp() AS now, ${HELD_OF_TYPE} AS held,
        EXISTS (SELECT 1 FROM settings WHERE name = 'paused') AS all
      FROM unnest($1::text[] || NULL::text) AS u(type)`,
    values: [pgArray(limited)],
  });
  const held = new Map(counted.rows.map((row) => [row.type, row.held]));
  const found = locked.rows.map(({ type, paused, most }) => {
    const room = most === null ? Infinity : most - (held.get(type) ?? 0);
    return [type, { isPaused: paused, room }] as const;
  });
  const [first] = counted.rows;
  return { holds: { all: first?.all ?? false, types: new Map(found) }, now: first?.now };
}
