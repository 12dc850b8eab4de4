import type { QueueEntry } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import { HELD } from '../tasks/held.store.js';
import { iso } from '../tasks/task.events.js';

type HeldEntry = QueueEntry & { readonly isRunning: boolean };

/** What an agent holds, longest first. */
export async function findHeldEntries(db: Queryable, agentId: string): Promise<readonly HeldEntry[]> {
  const { rows } = await db.query<Omit<HeldEntry, 'since'> & { since: number }>({
    name: 'find-held-entries',
    text: `SELECT id AS "taskId", type, priority, coalesce(started_at, assigned_at) AS since,
        status = 'in_progress' AS "isRunning"
      FROM tasks t WHERE last_agent_id = $1 AND ${HELD} ORDER BY since, id`,
    values: [agentId],
  });
  return rows.map(({ since, ...entry }) => ({ ...entry, since: iso(since) }));
}

/** Adds to what agents have completed; in order of agent, so that two writers never wait in a cycle. */
export async function addCompletions(db: Queryable, counts: ReadonlyMap<string, number>): Promise<void> {
  await db.query({
    name: 'add-completions',
    text: `INSERT INTO agent_completions AS c (agent_id, completed)
      SELECT * FROM unnest($1::text[], $2::bigint[]) AS u(id, completed) ORDER BY id
      ON CONFLICT (agent_id) DO UPDATE SET completed = c.completed + excluded.completed`,
    values: [pgArray([...counts.keys()]), pgArray([...counts.values()])],
  });
}

export async function findCompleted(db: Queryable, agentId: string): Promise<number> {
  const { rows } = await db.query<{ completed: number }>({
    name: 'find-completed',
    text: 'SELECT completed FROM agent_completions WHERE agent_id = $1',
    values: [agentId],
  });
  return rows[0]?.completed ?? 0;
}
