import type { Queryable } from '../database/database.js';

/** An edge as it is to be; no strength means none. */
export type Edge = { readonly from: string; readonly to: string; readonly strength: number | null };

/** Writes or removes an edge; false when there was none to remove. */
export async function saveEdge(db: Queryable, { from, to, strength }: Edge): Promise<boolean> {
  const { rowCount } =
    strength === null
      ? await db.query('DELETE FROM agent_connections WHERE from_agent = $1 AND to_agent = $2', [from, to])
      : await db.query(
          `INSERT INTO agent_connections (from_agent, to_agent, strength) VALUES ($1, $2, $3)
            ON CONFLICT (from_agent, to_agent) DO UPDATE SET strength = excluded.strength`,
          [from, to, strength],
        );
  return rowCount === 1;
}
