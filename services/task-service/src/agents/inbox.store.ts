import { LIMITS, type InboxItem } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { deleteInChunks, idOfDaysAgo } from '../database/forget.js';
import { pgArray } from '../database/pg-array.js';

/** An end somebody must hear of, kept until acknowledged. `at` is milliseconds of the epoch. */
export type InboxRow = {
  readonly id: string;
  readonly agentId: string;
  readonly taskId: string;
  readonly status: InboxItem['status'];
  readonly reason: string | null;
  readonly at: number;
};

/** Seconds before an unacknowledged row is delivered again. */
const REDELIVER_SECONDS = 10;

export async function insertInbox(db: Queryable, rows: readonly InboxRow[]): Promise<void> {
  await db.query({
    name: 'insert-inbox',
    text: `INSERT INTO agent_inbox (id, agent_id, task_id, status, reason, created_at, deliver_after)
      SELECT a, b, c, d, e, to_timestamp(f / 1000), clock_timestamp() + make_interval(secs => ${REDELIVER_SECONDS})
      FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::float8[]) AS u(a, b, c, d, e, f)`,
    values: [
      pgArray(rows.map(({ id }) => id)),
      pgArray(rows.map(({ agentId }) => agentId)),
      pgArray(rows.map(({ taskId }) => taskId)),
      pgArray(rows.map(({ status }) => status)),
      pgArray(rows.map(({ reason }) => reason)),
      pgArray(rows.map(({ at }) => at)),
    ],
  });
}

/** Counted so far: an agent that was away for long may have a million rows, and says hello like any other. */
const COUNTED = LIMITS.inboxCounted + 1;

/** The oldest unacknowledged rows of an agent, and how many there are, counted up to one more than 1,000. */
export async function findInbox(
  db: Queryable,
  agentId: string,
  limit: number,
): Promise<{ readonly count: number; readonly items: readonly InboxItem[] }> {
  const { rows } = await db.query<Omit<InboxItem, 'at'> & { at: number; count: number }>({
    name: 'find-inbox',
    text: `SELECT id, task_id AS "taskId", status, reason, created_at AS at,
        (SELECT count(*) FROM (SELECT FROM agent_inbox WHERE agent_id = $1 LIMIT ${COUNTED}) counted) AS count
      FROM agent_inbox WHERE agent_id = $1 ORDER BY id LIMIT $2`,
    values: [agentId, limit],
  });
  const items = rows.map(({ count: _, at, ...item }) => ({ ...item, at: new Date(at).toISOString() }));
  return { count: rows[0]?.count ?? 0, items };
}

/** Drops what an agent acknowledged; rows of others are left alone. */
export async function acknowledgeInbox(
  db: Queryable,
  agentId: string,
  ids: readonly string[],
): Promise<number> {
  const { rowCount } = await db.query({
    name: 'acknowledge-inbox',
    text: `DELETE FROM agent_inbox WHERE id IN (
        SELECT id FROM agent_inbox WHERE agent_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED)`,
    values: [agentId, pgArray(ids)],
  });
  return rowCount ?? 0;
}

/** Claims overdue rows of agents that are online and says whose they are. */
export async function claimOverdueInbox(db: Queryable, limit: number): Promise<readonly string[]> {
  const { rows } = await db.query<{ agentId: string }>({
    name: 'claim-inbox',
    text: `WITH claimed AS (
        UPDATE agent_inbox SET deliver_after = clock_timestamp() + make_interval(secs => ${REDELIVER_SECONDS})
        WHERE id IN (SELECT i.id FROM agent_inbox i JOIN agents a ON a.id = i.agent_id AND a.status <> 'offline'
          WHERE i.deliver_after < (SELECT clock_timestamp()) ORDER BY i.deliver_after LIMIT $1 FOR UPDATE OF i SKIP LOCKED)
        RETURNING agent_id)
      SELECT DISTINCT agent_id AS "agentId" FROM claimed`,
    values: [limit],
  });
  return rows.map(({ agentId }) => agentId);
}

/** Forgets what nobody acknowledged for 30 days, chunk by chunk. */
export function forgetOldInbox(db: Queryable, signal: AbortSignal): Promise<number> {
  const text = `DELETE FROM agent_inbox WHERE id IN (
      SELECT id FROM agent_inbox WHERE id < ${idOfDaysAgo(30)} ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)`;
  return deleteInChunks(db, { text }, signal);
}
