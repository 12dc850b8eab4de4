import type { AgentStatus } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import { HELD } from '../tasks/held.store.js';
import type { AgentUnderLock } from '../tasks/task.js';

/** Agents under lock by id with what they hold, and the time after the locks and the count (milliseconds). */
export type LockedAgents = {
  readonly agents: ReadonlyMap<string, AgentUnderLock>;
  readonly now: number | undefined;
};

/**
 * Locks the agents of a batch of assignments in order of id, the last lock taken, and counts what they hold.
 * Capacity is derived, not kept: `start`, `complete` and `fail` never touch agent rows. The count is a statement of
 * its own, since one that began before the lock was granted would not see what the lock's last owner committed.
 */
export async function lockAgents(db: Queryable, ids: readonly string[]): Promise<LockedAgents> {
  const locked = await db.query<{ id: string; status: AgentStatus; capacity: number }>({
    name: 'lock-agents',
    text: `SELECT id, status, max_concurrent + prefetch AS capacity FROM agents
      WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE`,
    values: [pgArray(ids)],
  });
  const counted = await db.query<{ id: string; held: number; now: number }>({
    name: 'count-held',
    text: `SELECT u.id, clock_timestamp() AS now, (SELECT count(*) FROM tasks t
        WHERE t.last_agent_id = u.id AND ${HELD}) AS held
      FROM unnest($1::text[]) AS u(id)`,
    values: [pgArray(ids)],
  });
  const held = new Map(counted.rows.map((row) => [row.id, row.held]));
  const agents = new Map(locked.rows.map((row) => [row.id, { ...row, held: held.get(row.id) ?? 0 }]));
  return { agents, now: counted.rows.at(-1)?.now };
}
