import type { AgentStatus, Capability, FleetEntry, Hello, RegisterAgent } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { deleteInChunks } from '../database/forget.js';
import { pgArray } from '../database/pg-array.js';
import { HELD } from '../tasks/held.store.js';
import type { Page } from '../write-path/pages.js';

/** An agent's row; times in milliseconds of the epoch. */
export type Agent = {
  readonly id: string;
  readonly capabilities: readonly Capability[];
  readonly maxConcurrent: number;
  readonly prefetch: number;
  readonly heartbeatMs: number;
  readonly expireMs: number;
  readonly status: AgentStatus;
  /** By an operator. */
  readonly drained: boolean;
  readonly epoch: number;
};

/** The columns of an `Agent`. */
export const agentColumns = `id, capabilities, max_concurrent AS "maxConcurrent", prefetch, heartbeat_ms AS "heartbeatMs",
  expire_ms AS "expireMs", status, drained, epoch`;

/** Writes a new agent; false when the id is taken. One that is being removed is waited for: ask `wasRemoved` then. */
export async function insertAgent(db: Queryable, agent: RegisterAgent): Promise<boolean> {
  const { rowCount } = await db.query(
    `INSERT INTO agents (id, name, description, capabilities, max_concurrent, prefetch, labels, heartbeat_ms,
        expire_ms, status, epoch, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'offline', 0, clock_timestamp()) ON CONFLICT DO NOTHING`,
    [
      agent.id,
      agent.name ?? agent.id,
      agent.description,
      JSON.stringify(agent.capabilities),
      agent.maxConcurrent,
      agent.prefetch,
      JSON.stringify(agent.labels),
      agent.heartbeatMs,
      agent.expireMs,
    ],
  );
  return rowCount === 1;
}

/** Whether an agent had this id and was removed: it is never given again. */
export async function wasRemoved(db: Queryable, id: string): Promise<boolean> {
  return (await db.query('SELECT FROM removed_agents WHERE id = $1', [id])).rowCount === 1;
}

export async function lockAgent(db: Queryable, id: string): Promise<Agent | undefined> {
  const { rows } = await db.query<Agent>(
    `SELECT ${agentColumns} FROM agents WHERE id = $1 FOR NO KEY UPDATE`,
    [id],
  );
  return rows[0];
}

/** The epoch a process instance of an agent was given, if it ever said hello. */
export async function findInstanceEpoch(
  db: Queryable,
  id: string,
  instance: string,
): Promise<number | undefined> {
  const { rows } = await db.query<{ epoch: number }>(
    'SELECT epoch FROM agent_sessions WHERE agent_id = $1 AND instance = $2',
    [id, instance],
  );
  return rows[0]?.epoch;
}

export async function saveSession(db: Queryable, id: string, epoch: number, hello: Hello): Promise<void> {
  await db.query(
    `INSERT INTO agent_sessions (agent_id, instance, epoch, started_at) VALUES ($1, $2, $3, $4)
      ON CONFLICT (agent_id, instance) DO UPDATE SET epoch = excluded.epoch`,
    [id, hello.instance, epoch, hello.startedAt],
  );
}

/** Forgets the sessions of processes that began 30 days ago or earlier and are not the agent's own now. */
export function forgetOldSessions(db: Queryable, signal: AbortSignal): Promise<number> {
  const text = `DELETE FROM agent_sessions WHERE (agent_id, instance) IN (
      SELECT agent_id, instance FROM agent_sessions s
      WHERE created_at < (SELECT clock_timestamp() - interval '30 days')
        AND NOT EXISTS (SELECT FROM agents a WHERE a.id = s.agent_id AND a.epoch = s.epoch)
      ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)`;
  return deleteInChunks(db, { text }, signal);
}

/** What a hello changes; the agent is locked. */
export async function saveHello(
  db: Queryable,
  { id, epoch, status }: Pick<Agent, 'id' | 'epoch' | 'status'>,
  hello: Hello,
): Promise<Agent> {
  const { rows } = await db.query<Agent>(
    `UPDATE agents SET status = $7, epoch = $2, capabilities = $3, max_concurrent = $4, prefetch = $5,
        labels = $6, last_seen_at = clock_timestamp() WHERE id = $1 RETURNING ${agentColumns}`,
    [
      id,
      epoch,
      JSON.stringify(hello.capabilities),
      hello.maxConcurrent,
      hello.prefetch,
      JSON.stringify(hello.labels),
      status,
    ],
  );
  const [agent] = rows;
  if (agent === undefined) throw new Error(`agent ${id} vanished under its own lock`);
  return agent;
}

/** Moves the live epoch of an agent to `draining` or `offline`; nothing when that epoch is not live any more. */
export async function saveStatus(
  db: Queryable,
  id: string,
  epoch: number,
  status: 'draining' | 'offline',
): Promise<Agent | undefined> {
  const { rows } = await db.query<Agent>(
    `UPDATE agents SET status = $3, last_seen_at = clock_timestamp()
      WHERE id = $1 AND epoch = $2 AND status <> 'offline' AND status <> $3 RETURNING ${agentColumns}`,
    [id, epoch, status],
  );
  return rows[0];
}

/** Drains an agent, or lets a drained one have tasks again; nothing when that is so already. */
export async function saveDrained(db: Queryable, id: string, drained: boolean): Promise<Agent | undefined> {
  const { rows } = await db.query<Agent>(
    `UPDATE agents SET drained = $2,
        status = CASE WHEN status = 'offline' THEN 'offline' WHEN $2 THEN 'draining' ELSE 'online' END
      WHERE id = $1 AND drained <> $2 RETURNING ${agentColumns}`,
    [id, drained],
  );
  return rows[0];
}

export type FleetPage = {
  readonly agentIds?: readonly string[];
  readonly after?: string;
  readonly limit: number;
};

/** Agents with their connections as distributors know them, in order of id. */
export async function findFleet(db: Queryable, page: FleetPage): Promise<readonly FleetEntry[]> {
  const { rows } = await db.query<FleetEntry>({
    name: 'find-fleet',
    text: `SELECT a.id AS "agentId", status, epoch, capabilities, max_concurrent AS "maxConcurrent", prefetch,
        heartbeat_ms AS "heartbeatMs", expire_ms AS "expireMs", labels, coalesce(c.connections, '[]') AS connections
      FROM agents a LEFT JOIN LATERAL (
        SELECT json_agg(json_build_object('to', to_agent, 'strength', strength)) AS connections
        FROM agent_connections WHERE from_agent = a.id) c ON true
      WHERE ($1::text[] IS NULL OR a.id = ANY($1::text[])) AND ($2::text IS NULL OR a.id > $2) ORDER BY a.id LIMIT $3`,
    values: [page.agentIds === undefined ? null : pgArray(page.agentIds), page.after ?? null, page.limit],
  });
  return rows;
}

export type HeldTask = {
  readonly agentId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly version: number;
  readonly status: 'assigned' | 'in_progress';
  readonly holderEpoch: number | null;
};

/** `runningMs`: for how long it is in progress, by the database's clock. */
export type TimedTask = HeldTask & { readonly runningMs: number | null };

/** What these agents hold. */
export async function findHeld(db: Queryable, agentIds: readonly string[]): Promise<readonly TimedTask[]> {
  const { rows } = await db.query<TimedTask>({
    name: 'find-held',
    text: `SELECT assigned_to AS "agentId", id AS "taskId", attempt, version, status, holder_epoch AS "holderEpoch",
        (extract(epoch FROM clock_timestamp() - started_at) * 1000)::float8 AS "runningMs"
      FROM tasks t WHERE last_agent_id = ANY($1::text[]) AND ${HELD} ORDER BY id`,
    values: [pgArray(agentIds)],
  });
  return rows;
}

/** Held tasks whose agent is gone, or is a later process than the one that started them; of all agents or of these. */
export async function findAbandoned(
  db: Queryable,
  { after, limit }: Page,
  agentIds?: readonly string[],
): Promise<readonly HeldTask[]> {
  const { rows } = await db.query<HeldTask>({
    name: 'find-abandoned',
    text: `SELECT t.id AS "taskId", t.assigned_to AS "agentId", t.attempt, t.version, t.status,
        t.holder_epoch AS "holderEpoch"
      FROM tasks t LEFT JOIN agents a ON a.id = t.assigned_to
      WHERE t.status IN ('assigned','in_progress') AND t.id > $1
        AND ($3::text[] IS NULL OR t.last_agent_id = ANY($3::text[]))
        AND (a.id IS NULL OR a.status = 'offline' OR (t.status = 'in_progress' AND t.holder_epoch <> a.epoch))
      ORDER BY t.id LIMIT $2`,
    values: [after, limit, agentIds === undefined ? null : pgArray(agentIds)],
  });
  return rows;
}
