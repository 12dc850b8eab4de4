import type { Queryable } from '../database/database.js';
import { deleteInChunks, idOfDaysAgo } from '../database/forget.js';
import { pgArray } from '../database/pg-array.js';

/** One link of the chain: its hash is that of the one before and of the entry. */
export type Seal = { readonly seq: number; readonly entryId: string; readonly hash: Buffer };
/** An entry as it is hashed. */
export type SealedText = { readonly id: string; readonly text: string };

/** All of an entry, in a form that hangs on no setting of the connection. */
const TEXT = `jsonb_build_array(a.id, (extract(epoch FROM a.at) * 1000000)::bigint, a.actor, a.action, a.subject,
  a.code, a.detail::text)::text`;

/** Behind it nothing is committed any more: an entry's id has the time at which its transaction was under way. */
const SETTLED = `least(clock_timestamp() - interval '10 seconds',
  (SELECT min(xact_start) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND datname = current_database()))`;

/** Whether this transaction alone seals. */
export async function takeSealing(db: Queryable): Promise<boolean> {
  const text = `SELECT pg_try_advisory_xact_lock(hashtext('task-service seals')) AS taken`;
  return (await db.query<{ taken: boolean }>(text)).rows[0]?.taken === true;
}

export async function lastSeal(db: Queryable): Promise<Seal | undefined> {
  const text = `SELECT seq::int, entry_id AS "entryId", hash FROM audit_seals ORDER BY seq DESC LIMIT 1`;
  return (await db.query<Seal>(text)).rows[0];
}

/** The next entries that have no seal yet and will keep their place. */
export async function readUnsealed(
  db: Queryable,
  after: string,
  limit: number,
): Promise<readonly SealedText[]> {
  const text = `SELECT a.id, ${TEXT} AS text FROM audit_log a WHERE a.id > $1
    AND a.id < (SELECT (lpad(to_hex((extract(epoch FROM ${SETTLED}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid)
    ORDER BY a.id LIMIT $2`;
  return (await db.query<SealedText>(text, [after, limit])).rows;
}

export async function insertSeals(db: Queryable, seals: readonly Seal[]): Promise<void> {
  await db.query(
    `INSERT INTO audit_seals (seq, entry_id, hash)
      SELECT seq, id, decode(hash, 'hex') FROM unnest($1::bigint[], $2::uuid[], $3::text[]) AS u(seq, id, hash)`,
    [
      pgArray(seals.map(({ seq }) => String(seq))),
      pgArray(seals.map(({ entryId }) => entryId)),
      pgArray(seals.map(({ hash }) => hash.toString('hex'))),
    ],
  );
}

export type SealToCheck = Seal & {
  /** Null where the entry is gone. */
  readonly text: string | null;
  /** Its time is over: it may be gone. */
  readonly mayBeGone: boolean;
};

/** Seals behind a number, each with its entry. */
export async function readSeals(
  db: Queryable,
  after: number,
  limit: number,
): Promise<readonly SealToCheck[]> {
  const text = `SELECT s.seq::int, s.entry_id AS "entryId", s.hash, CASE WHEN a.id IS NOT NULL THEN ${TEXT} END AS text,
      s.entry_id < ${idOfDaysAgo(90)} AS "mayBeGone"
    FROM audit_seals s LEFT JOIN audit_log a ON a.id = s.entry_id WHERE s.seq > $1 ORDER BY s.seq LIMIT $2`;
  return (await db.query<SealToCheck>(text, [after, limit])).rows;
}

/** Entries that came in among sealed ones, at most so many. */
export async function readSlippedIn(db: Queryable, upTo: string, limit: number): Promise<readonly string[]> {
  const text = `SELECT a.id FROM audit_log a WHERE a.id < $1
    AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = a.id) ORDER BY a.id LIMIT $2`;
  return (await db.query<{ id: string }>(text, [upTo, limit])).rows.map(({ id }) => id);
}

/** Forgets the seals of entries that were forgotten a day ago; the last seal stays. */
export function forgetOldSeals(db: Queryable, signal: AbortSignal): Promise<number> {
  const text = `DELETE FROM audit_seals WHERE seq IN (SELECT seq FROM audit_seals
      WHERE entry_id < ${idOfDaysAgo(91)} AND seq < (SELECT max(seq) FROM audit_seals) ORDER BY seq LIMIT $1)`;
  return deleteInChunks(db, { text }, signal);
}
