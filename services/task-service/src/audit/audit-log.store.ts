import type { AuditEntryView, ListAudit } from '@baton/contracts';
import type { Queryable } from '../database/database.js';

type Filter = Omit<ListAudit, 'cursor' | 'limit'>;

/** Entries of a filter, newest first, behind an id: a range of an index for each field that is asked for, or of the ids. */
export async function pageAudit(
  db: Queryable,
  { actor, action, subject, from, to }: Filter,
  { before, limit }: { readonly before: string | undefined; readonly limit: number },
): Promise<readonly AuditEntryView[]> {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const add = (condition: string, value: string | undefined) => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(`${condition} $${values.length}`);
  };
  add('actor =', actor);
  add('action =', action);
  add('subject =', subject);
  add('id >=', from && firstIdOf(from));
  add('id <', to && firstIdOf(to));
  add('id <', before);
  values.push(limit);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const { rows } = await db.query<Omit<AuditEntryView, 'at'> & { at: number }>(
    `SELECT id, at, actor, action, subject, code, detail FROM audit_log ${where}
      ORDER BY id DESC LIMIT $${values.length}`,
    values,
  );
  return rows.map(({ at, ...entry }) => ({ ...entry, at: new Date(at).toISOString() }));
}

/** The lowest id of a millisecond: an entry's id begins with its time. */
function firstIdOf(time: string): string {
  const hex = Math.max(0, Date.parse(time)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
