import type { ListAgents } from '@baton/contracts';
import type { DataSource } from 'typeorm';
import { HELD } from '../tasks/held.store.js';
import { AgentConnectionTable, AgentTable, type AgentConnectionRow, type AgentRow } from './agent.table.js';

export function findAgent(dataSource: DataSource, id: string): Promise<AgentRow | null> {
  return dataSource.getRepository(AgentTable).findOneBy({ id });
}

/** Agents in order of id, behind `after`, one more than asked; available means online with a free slot. */
export function findAgents(
  dataSource: DataSource,
  { available, capability, limit }: Omit<ListAgents, 'cursor'>,
  after: string | undefined,
): Promise<AgentRow[]> {
  const query = dataSource
    .getRepository(AgentTable)
    .createQueryBuilder('a')
    .orderBy('a.id')
    .take(limit + 1);
  if (after !== undefined) query.andWhere('a.id > :after', { after });
  if (capability !== undefined) {
    const offers = `EXISTS (SELECT 1 FROM json_array_elements(a.capabilities) c WHERE c->>'name' = :capability)`;
    query.andWhere(offers, { capability });
  }
  if (available !== undefined) query.andWhere(available === 'true' ? AVAILABLE : `NOT ${AVAILABLE}`);
  return query.getMany();
}

const AVAILABLE = `(a.status = 'online' AND a.max_concurrent + a.prefetch >
  (SELECT count(*) FROM tasks t WHERE t.last_agent_id = a.id AND ${HELD}))`;

/** Edges from and to an agent. */
export function findConnections(dataSource: DataSource, id: string): Promise<AgentConnectionRow[]> {
  return dataSource
    .getRepository(AgentConnectionTable)
    .find({ where: [{ fromAgent: id }, { toAgent: id }], order: { fromAgent: 'ASC', toAgent: 'ASC' } });
}
