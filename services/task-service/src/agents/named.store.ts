import type { ConnectedAgent } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import type { Named, NamedAgent } from '../tasks/task.js';
import { HELD } from '../tasks/held.store.js';

type NamedRow = NamedAgent & { readonly from: readonly string[] };

/**
 * Agents by id, as they are without a lock, and which of the connections asked for (`from>to`) there are. Where status
 * and room decide, they are read again under the lock.
 */
export async function findNamed(
  db: Queryable,
  ids: readonly string[],
  connections: readonly string[],
): Promise<Named> {
  const pairs = connections.map((connection) => connection.split('>'));
  const { rows } = await db.query<NamedRow>({
    name: 'find-named',
    text: `SELECT a.id, a.status, a.capabilities, a.labels, ARRAY(
        SELECT c.from_agent::text FROM unnest($2::text[], $3::text[]) AS u(source, target)
        JOIN agent_connections c ON c.from_agent = u.source AND c.to_agent = u.target
        WHERE u.target = a.id) AS "from"
      FROM agents a WHERE a.id = ANY($1::text[])`,
    values: [
      pgArray(ids),
      pgArray(pairs.map(([from]) => from ?? '')),
      pgArray(pairs.map(([, to]) => to ?? '')),
    ],
  });
  return {
    agents: new Map(rows.map(({ from: _, ...agent }) => [agent.id, agent])),
    connections: new Set(rows.flatMap(({ id, from }) => from.map((source) => `${source}>${id}`))),
  };
}

/** Agents fit for one message; more are found by capability. */
const CONNECTED_SHOWN = 200;

/** The agents an agent may hand work on to, the strongest connections first, at most 200. O(connections). */
export async function findConnected(
  db: Queryable,
  from: string,
  capability: string | null,
): Promise<readonly ConnectedAgent[]> {
  const { rows } = await db.query<ConnectedAgent>({
    name: 'find-connected',
    text: `SELECT id, status, strength, capabilities, load,
        CASE WHEN status = 'online' THEN greatest(0, capacity - load) ELSE 0 END AS room
      FROM (SELECT a.id, a.status, c.strength, a.capabilities, a.max_concurrent + a.prefetch AS capacity,
          (SELECT count(*) FROM tasks t WHERE t.last_agent_id = a.id AND ${HELD}) AS load
        FROM agent_connections c JOIN agents a ON a.id = c.to_agent
        WHERE c.from_agent = $1 AND ($2::text IS NULL
          OR EXISTS (SELECT FROM json_array_elements(a.capabilities) e WHERE e->>'name' = $2))
        ORDER BY c.strength DESC, a.id LIMIT ${CONNECTED_SHOWN}) connected
      ORDER BY strength DESC, id`,
    values: [from, capability],
  });
  return rows;
}
