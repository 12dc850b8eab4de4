import type { AgentStatus } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import type { AgentUnderLock } from '../tasks/task.js';

/** Locks the agents of a batch of assignments in order of id: the last lock taken. */
export async function lockAgents(
  db: Queryable,
  ids: readonly string[],
): Promise<Map<string, AgentUnderLock>> {
  const { rows } = await db.query<{ id: string; status: AgentStatus; capacity: number }>({
    name: 'lock-agents',
    text: `SELECT id, status, max_concurrent + prefetch AS capacity FROM agents
      WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE`,
    values: [pgArray(ids)],
  });
  const held = await countHeld(db, ids);
  return new Map(rows.map((row) => [row.id, { ...row, held: held.get(row.id) ?? 0 }]));
}

/**
 * Capacity is derived, not counted: `start`, `complete` and `fail` never touch agent rows. A statement of its own,
 * since one that began before the lock was granted would not see what the lock's last owner committed.
 */
async function countHeld(db: Queryable, ids: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await db.query<{ id: string; held: number }>({
    name: 'count-held',
    text: `SELECT assigned_to AS id, count(*) AS held FROM tasks
      WHERE assigned_to = ANY($1::text[]) AND status IN ('assigned','in_progress') GROUP BY 1`,
    values: [pgArray(ids)],
  });
  return new Map(rows.map((row) => [row.id, row.held]));
}
