import {
  DomainError,
  type AgentView,
  type AgentWorkload,
  type ConnectionView,
  type ListAgents,
  type RegisterAgent,
} from '@baton/contracts';
import type { DataSource, SelectQueryBuilder } from 'typeorm';
import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import type { Cursors } from '../tasks/cursor.js';
import type { Page } from '../tasks/task.service.js';
import { insertAudit } from '../write-path/audit.store.js';
import { findHeld, insertAgent, lockAgent, type HeldTask } from './agent.store.js';
import { AgentConnectionTable, AgentTable, type AgentRow } from './agent.table.js';
import { FleetAnnouncer, fleetData, insertFleetEvents } from './fleet.events.js';

/** Use cases of operators on agents and their connections. */
export class AgentService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly pool: Pool,
    private readonly announcer: FleetAnnouncer,
    private readonly cursors: Cursors,
  ) {}

  async register(agent: RegisterAgent, actor: string): Promise<AgentView> {
    const outbox = await inTransaction(this.pool, async (db) => {
      if (!(await insertAgent(db, agent))) {
        throw new DomainError(
          'AGENT_EXISTS',
          `An agent ${agent.id} is registered already; ids are never reused`,
        );
      }
      const row = await lockAgent(db, agent.id);
      if (row === undefined) throw new Error(`agent ${agent.id} is not there after it was written`);
      await insertAudit(db, [{ actor, action: 'agent.register', subject: agent.id, code: null, detail: {} }]);
      const data = fleetData(row, 'registered');
      return insertFleetEvents(db, [{ type: 'fleet.registered', agentId: agent.id, data }]);
    });
    await this.announcer.announce(outbox, [agent.id]);
    return this.get(agent.id);
  }

  async get(id: string): Promise<AgentView> {
    const row = await this.dataSource.getRepository(AgentTable).findOneBy({ id });
    if (row === null) throw new DomainError('AGENT_NOT_FOUND', `No agent ${id} is registered`);
    return toView(row, await findHeld(this.pool, [id]));
  }

  /** Agents by id; `available` means online with a free slot. */
  async list({ available, capability, limit, cursor }: ListAgents): Promise<Page<AgentView>> {
    const query = this.dataSource
      .getRepository(AgentTable)
      .createQueryBuilder('a')
      .orderBy('a.id')
      .take(limit + 1);
    if (cursor !== undefined) query.andWhere('a.id > :after', { after: this.cursors.decode(cursor) });
    if (capability !== undefined) {
      query.andWhere(
        `EXISTS (SELECT 1 FROM json_array_elements(a.capabilities) c WHERE c->>'name' = :capability)`,
        {
          capability,
        },
      );
    }
    if (available !== undefined) whereAvailable(query, available === 'true');
    const rows = await query.getMany();
    const page = rows.slice(0, limit);
    const held = await findHeld(
      this.pool,
      page.map(({ id }) => id),
    );
    const last = page.at(-1);
    const hasMore = rows.length > limit;
    return {
      data: page.map((row) =>
        toView(
          row,
          held.filter(({ agentId }) => agentId === row.id),
        ),
      ),
      page: { next: hasMore && last ? this.cursors.encode(last.id) : null, hasMore },
    };
  }

  async connections(id: string): Promise<readonly ConnectionView[]> {
    await this.get(id);
    const rows = await this.dataSource
      .getRepository(AgentConnectionTable)
      .find({ where: [{ fromAgent: id }, { toAgent: id }], order: { fromAgent: 'ASC', toAgent: 'ASC' } });
    return rows.map(({ fromAgent, toAgent, strength }) => ({ from: fromAgent, to: toAgent, strength }));
  }

  /** Makes or changes the edge; both directions when `bidirectional`. */
  async connect(
    from: string,
    to: string,
    edge: { strength: number; bidirectional: boolean },
  ): Promise<ConnectionView> {
    if (from === to) throw new DomainError('VALIDATION_FAILED', 'An agent cannot be connected to itself');
    await Promise.all([this.get(from), this.get(to)]);
    const edges = [{ fromAgent: from, toAgent: to, strength: edge.strength }];
    if (edge.bidirectional) edges.push({ fromAgent: to, toAgent: from, strength: edge.strength });
    await this.changeEdges(edges);
    return { from, to, strength: edge.strength };
  }

  async disconnect(from: string, to: string): Promise<void> {
    const changed = await this.changeEdges([{ fromAgent: from, toAgent: to, strength: null }]);
    if (changed === 0)
      throw new DomainError('CONNECTION_NOT_FOUND', `There is no connection from ${from} to ${to}`);
  }

  private async changeEdges(
    edges: readonly {
      readonly fromAgent: string;
      readonly toAgent: string;
      readonly strength: number | null;
    }[],
  ): Promise<number> {
    let changed = 0;
    const outbox = await inTransaction(this.pool, async (db) => {
      for (const { fromAgent, toAgent, strength } of edges) {
        const { rowCount } =
          strength === null
            ? await db.query('DELETE FROM agent_connections WHERE from_agent = $1 AND to_agent = $2', [
                fromAgent,
                toAgent,
              ])
            : await db.query(
                `INSERT INTO agent_connections (from_agent, to_agent, strength) VALUES ($1, $2, $3)
                  ON CONFLICT (from_agent, to_agent) DO UPDATE SET strength = excluded.strength`,
                [fromAgent, toAgent, strength],
              );
        changed += rowCount ?? 0;
      }
      const changes = edges.map(({ fromAgent, toAgent, strength }) => ({
        type: strength === null ? ('fleet.disconnected' as const) : ('fleet.connected' as const),
        agentId: fromAgent,
        data: { to: toAgent, strength },
      }));
      return changed === 0 ? undefined : insertFleetEvents(db, changes);
    });
    if (outbox !== undefined) {
      await this.announcer.announce(outbox, [...new Set(edges.map(({ fromAgent }) => fromAgent))]);
    }
    return changed;
  }
}

function whereAvailable(query: SelectQueryBuilder<AgentRow>, wanted: boolean): void {
  const held = `(SELECT count(*) FROM tasks t WHERE t.assigned_to = a.id AND t.status IN ('assigned','in_progress'))`;
  const available = `(a.status = 'online' AND ${held} < a.max_concurrent + a.prefetch)`;
  query.andWhere(wanted ? available : `NOT ${available}`);
}

function toView(row: AgentRow, held: readonly HeldTask[]): AgentView {
  return {
    ...row,
    lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    workload: workload(row, held),
  };
}

function workload({ status, maxConcurrent, prefetch }: AgentRow, held: readonly HeldTask[]): AgentWorkload {
  const active = held.filter((task) => task.status === 'in_progress').length;
  return {
    pending: held.length - active,
    active,
    capacityUtilization: active / maxConcurrent,
    queueDepth: held.length,
    canAccept: status === 'online' && held.length < maxConcurrent + prefetch,
  };
}
