import { v7 } from 'uuid';
import type { Queryable } from '../database/database.js';
import { deleteInChunks, idOfDaysAgo } from '../database/forget.js';
import { pgArray } from '../database/pg-array.js';

/** Something that changed no task but must be known: a refusal, an agent's coming and going. */
export type AuditEntry = {
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly code: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
};

/** Retention goes by the time in the ids: the database puts its own there. */
const milliseconds = "lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')";

export async function insertAudit(db: Queryable, entries: readonly AuditEntry[]): Promise<void> {
  await db.query({
    name: 'insert-audit',
    text: `INSERT INTO audit_log (id, at, actor, action, subject, code, detail)
      SELECT (${milliseconds} || right(replace(a::text, '-', ''), 20))::uuid, clock_timestamp(), b, c, d, e, f
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::json[]) AS u(a, b, c, d, e, f)`,
    values: [
      pgArray(entries.map(() => v7())),
      pgArray(entries.map(({ actor }) => actor)),
      pgArray(entries.map(({ action }) => action)),
      pgArray(entries.map(({ subject }) => subject)),
      pgArray(entries.map(({ code }) => code)),
      pgArray(entries.map(({ detail }) => JSON.stringify(detail))),
    ],
  });
}

/** Forgets entries older than 90 days, chunk by chunk. */
export function forgetOldAudit(db: Queryable, signal: AbortSignal): Promise<number> {
  const text = `DELETE FROM audit_log WHERE id IN (
      SELECT id FROM audit_log WHERE id < ${idOfDaysAgo(90)} ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)`;
  return deleteInChunks(db, { text }, signal);
}
