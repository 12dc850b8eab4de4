import type { AgentStatus, Capability } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import type { Named } from '../tasks/task.js';

type NamedRow = { id: string; status: AgentStatus; capabilities: readonly Capability[]; from: string[] };

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
    text: `SELECT a.id, a.status, a.capabilities, ARRAY(
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
