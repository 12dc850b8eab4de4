import {
  DomainError,
  type AgentView,
  type AgentWorkload,
  type ConnectionView,
  type ListAgents,
  type RegisterAgent,
} from '@baton/contracts';
import type { DataSource, Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import type { Cursors, Page } from '../tasks/cursor.js';
import type { Caller } from '../tasks/task.service.js';
import { writeAudit } from '../write-path/audit.service.js';
import { isRepeated } from '../write-path/batch.keys.js';
import { keepKeys } from '../write-path/idempotency.store.js';
import { findHeld, insertAgent, lockAgent, wasRemoved, type HeldTask } from './agent.store.js';
import { findAgent, findAgents, findConnections } from './agent.reader.store.js';
import type { AgentRow } from './agent.table.js';
import { saveEdge, type Edge } from './connection.store.js';
import { FleetAnnouncer, fleetData, insertFleetEvents } from './fleet.events.js';

/** Use cases of operators on agents and their connections. */
export class AgentService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly pool: Pool,
    private readonly announcer: FleetAnnouncer,
    private readonly cursors: Cursors,
  ) {}

  /** Answers the agent as it was registered, also when the request is repeated with its key. */
  async register(
    agent: RegisterAgent,
    { actor, idempotency }: Caller,
  ): Promise<{ readonly view: AgentView; readonly replayed: boolean }> {
    const outbox = await inTransaction(this.pool, async (db) => {
      if (idempotency && (await isRepeated(db, idempotency))) return undefined;
      if (!(await insertAgent(db, agent)) || (await wasRemoved(db, agent.id))) {
        throw new DomainError(
          'AGENT_EXISTS',
          `An agent ${agent.id} is registered, or was and is removed; ids are never reused`,
        );
      }
      const row = await lockAgent(db, agent.id);
      if (row === undefined) throw new Error(`agent ${agent.id} is not there after it was written`);
      await writeAudit(db, [{ actor, action: 'agent.register', subject: agent.id, code: null, detail: {} }]);
      if (idempotency) await keepKeys(db, [{ idempotency, outcome: [] }]);
      const data = fleetData(row, 'registered');
      return insertFleetEvents(db, [{ type: 'fleet.registered', agentId: agent.id, data }]);
    });
    if (outbox) await this.announcer.announce(outbox, [agent.id]);
    const view = { ...(await this.get(agent.id)), ...asRegistered(agent) };
    return { view, replayed: outbox === undefined };
  }

  async get(id: string): Promise<AgentView> {
    const row = await findAgent(this.dataSource, id);
    if (row === null) throw new DomainError('AGENT_NOT_FOUND', `No agent ${id} is registered`);
    return toView(row, await findHeld(this.pool, [id]));
  }

  /** Agents by id; `available` means online with a free slot. */
  async list(query: ListAgents): Promise<Page<AgentView>> {
    const after = query.cursor === undefined ? undefined : this.cursors.decode(query.cursor);
    const rows = await findAgents(this.dataSource, query, after);
    const { limit } = query;
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
    const rows = await findConnections(this.dataSource, id);
    return rows.map(({ fromAgent, toAgent, strength }) => ({ from: fromAgent, to: toAgent, strength }));
  }

  /** Makes or changes the edge; both directions when `bidirectional`. */
  async connect(
    from: string,
    to: string,
    { strength, bidirectional }: { readonly strength: number; readonly bidirectional: boolean },
  ): Promise<ConnectionView> {
    if (from === to) throw new DomainError('VALIDATION_FAILED', 'An agent cannot be connected to itself');
    await Promise.all([this.get(from), this.get(to)]);
    const edges = [{ from, to, strength }];
    const both = [...edges, { from: to, to: from, strength }];
    // In one order whoever asks: two requests for the two directions would wait for each other.
    await this.changeEdges(bidirectional ? both.toSorted((a, b) => (a.from < b.from ? -1 : 1)) : edges);
    return { from, to, strength };
  }

  async disconnect(from: string, to: string): Promise<void> {
    await this.changeEdges([{ from, to, strength: null }]);
  }

  private async changeEdges(edges: readonly Edge[]): Promise<void> {
    const outbox = await inTransaction(this.pool, async (db) => {
      for (const edge of edges) {
        if (await saveEdge(db, edge)) continue;
        throw new DomainError(
          'CONNECTION_NOT_FOUND',
          `There is no connection from ${edge.from} to ${edge.to}`,
        );
      }
      return insertFleetEvents(db, edges.map(toFleetChange));
    });
    const changed = new Set(edges.map(({ from }) => from));
    await this.announcer.announce(outbox, [...changed]);
  }
}

/** What a registration answers, whatever the agent has said since: the body it is repeated with is the same. */
function asRegistered(agent: RegisterAgent) {
  const row = {
    ...agent,
    name: agent.name ?? agent.id,
    status: 'offline',
    drained: false,
    epoch: 0,
    lastSeenAt: null,
  } as const;
  return { ...row, workload: workload(row, []) };
}

function toFleetChange({ from, to, strength }: Edge) {
  const type = strength === null ? 'fleet.disconnected' : 'fleet.connected';
  return { type, agentId: from, data: { to, strength } } as const;
}

function toView(row: AgentRow, held: readonly HeldTask[]): AgentView {
  return {
    ...row,
    lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    workload: workload(row, held),
  };
}

function workload(
  { status, maxConcurrent, prefetch }: Pick<AgentRow, 'status' | 'maxConcurrent' | 'prefetch'>,
  held: readonly HeldTask[],
): AgentWorkload {
  const active = held.filter((task) => task.status === 'in_progress').length;
  return {
    pending: held.length - active,
    active,
    capacityUtilization: active / maxConcurrent,
    queueDepth: held.length,
    canAccept: status === 'online' && held.length < maxConcurrent + prefetch,
  };
}
