import type { InboxItem, PatchAgent } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { agentColumns, type Agent } from './agent.store.js';

/** Changes an agent that is locked; what is not said stays. */
export async function changeAgent(
  db: Queryable,
  id: string,
  { capabilities, labels, ...plain }: PatchAgent,
): Promise<Agent & { readonly isBeatFar: boolean }> {
  const { name, description, maxConcurrent, prefetch, heartbeatMs, expireMs } = plain;
  const json = (value: object | undefined) => (value === undefined ? null : JSON.stringify(value));
  const { rows } = await db.query<Agent & { isBeatFar: boolean }>(
    `UPDATE agents SET name = coalesce($2, name), description = coalesce($3, description),
        capabilities = coalesce($4::json, capabilities), max_concurrent = coalesce($5, max_concurrent),
        prefetch = coalesce($6, prefetch), labels = coalesce($7::json, labels),
        heartbeat_ms = coalesce($8, heartbeat_ms), expire_ms = coalesce($9, expire_ms)
      WHERE id = $1 RETURNING ${agentColumns}, expire_ms < 2 * heartbeat_ms AS "isBeatFar"`,
    [
      id,
      name ?? null,
      description ?? null,
      json(capabilities),
      maxConcurrent ?? null,
      prefetch ?? null,
      json(labels),
      heartbeatMs ?? null,
      expireMs ?? null,
    ],
  );
  const [agent] = rows;
  if (agent === undefined) throw new Error(`agent ${id} vanished under its own lock`);
  return agent;
}

/** Removes an agent that is locked with its connections, and remembers its id. What it was to hear is forgotten in time. */
export async function removeAgent(db: Queryable, id: string): Promise<void> {
  await db.query('INSERT INTO removed_agents (id) VALUES ($1) ON CONFLICT DO NOTHING', [id]);
  await db.query('DELETE FROM agent_connections WHERE from_agent = $1 OR to_agent = $1', [id]);
  await db.query('DELETE FROM agents WHERE id = $1', [id]);
}

/** What an agent has not acknowledged behind an item, oldest first. */
export async function pageInbox(
  db: Queryable,
  agentId: string,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly InboxItem[]> {
  const { rows } = await db.query<Omit<InboxItem, 'at'> & { at: number }>({
    name: 'page-inbox',
    text: `SELECT id, task_id AS "taskId", status, reason, created_at AS at
      FROM agent_inbox WHERE agent_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
    values: [agentId, after, limit],
  });
  return rows.map(({ at, ...item }) => ({ ...item, at: new Date(at).toISOString() }));
}
