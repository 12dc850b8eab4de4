import type { Bus } from '@baton/bus';
import {
  agentSubject,
  DomainError,
  listTasks,
  parse,
  type AgentView,
  type Control,
  type InboxItem,
  type ListRelatives,
  type PatchAgent,
  type TaskPage,
} from '@baton/contracts';
import type { Client, Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import type { Cursors, Page } from '../tasks/cursor.js';
import type { ListService } from '../tasks/list.service.js';
import type { Caller } from '../tasks/task.service.js';
import { FIRST_ID } from '../write-path/pages.js';
import { writeAudit } from '../write-path/audit.service.js';
import type { AgentService } from './agent.service.js';
import { lockAgent, type Agent } from './agent.store.js';
import { fleetData, insertFleetEvents, type FleetAnnouncer } from './fleet.events.js';
import { changeAgent, pageInbox, removeAgent } from './record.store.js';
import type { RedistributionService } from './redistribution.service.js';

/** What is kept of an agent: changed, removed and looked at by operators. */
export class AgentRecords {
  constructor(
    private readonly pool: Pool,
    private readonly bus: Bus,
    private readonly agents: AgentService,
    private readonly announcer: FleetAnnouncer,
    private readonly redistribution: RedistributionService,
    private readonly lists: ListService,
    private readonly cursors: Cursors,
  ) {}

  async change(id: string, changes: PatchAgent, { actor }: Caller): Promise<AgentView> {
    const outbox = await inTransaction(this.pool, async (db) => {
      await lock(db, id);
      const agent = await changeAgent(db, id, changes);
      if (agent.isBeatFar) throw beatsTooFar();
      const detail = { fields: Object.keys(changes) };
      await writeAudit(db, [{ actor, action: 'agent.update', subject: id, code: null, detail }]);
      return insertFleetEvents(db, [
        { type: 'fleet.updated', agentId: id, data: fleetData(agent, 'changed') },
      ]);
    });
    await this.announcer.announce(outbox, [id]);
    const isBeat = changes.heartbeatMs !== undefined || changes.expireMs !== undefined;
    if (isBeat) this.tell(id, { type: 'rehello', reason: 'changed' });
    return this.agents.get(id);
  }

  /** For good. Whatever of its tasks this process does not come to put back, the reconciler does. */
  async remove(id: string, { actor }: Caller): Promise<void> {
    const { agent, outbox } = await inTransaction(this.pool, async (db) => {
      const locked = await lock(db, id);
      await removeAgent(db, id);
      await writeAudit(db, [{ actor, action: 'agent.remove', subject: id, code: null, detail: {} }]);
      const data = { ...fleetData(locked, 'removed'), status: 'offline' as const };
      return {
        agent: locked,
        outbox: await insertFleetEvents(db, [{ type: 'fleet.removed', agentId: id, data }]),
      };
    });
    this.announcer.announceRemoved(outbox, agent);
    await this.redistribution.takeAll(id, actor);
    // Its process asks who it is, and hears that it is nobody.
    this.tell(id, { type: 'rehello', reason: 'removed' });
  }

  async tasks(id: string, query: object): Promise<TaskPage> {
    await this.agents.get(id);
    return this.lists.page(parse(listTasks, { ...query, agent: id }, 'Query'));
  }

  async inbox(id: string, { cursor, limit }: ListRelatives): Promise<Page<InboxItem>> {
    await this.agents.get(id);
    const after = cursor === undefined ? FIRST_ID : this.cursors.decode(cursor, id);
    const found = await pageInbox(this.pool, id, { after, limit: limit + 1 });
    const data = found.slice(0, limit);
    const last = data.at(-1);
    const hasMore = found.length > limit;
    return { data, page: { next: hasMore && last ? this.cursors.encode(last.id, id) : null, hasMore } };
  }

  private tell(id: string, message: Control): void {
    this.bus.publishHint(agentSubject.control(id), message);
  }
}

async function lock(db: Client, id: string): Promise<Agent> {
  const agent = await lockAgent(db, id);
  if (agent === undefined) throw new DomainError('AGENT_NOT_FOUND', `No agent ${id} is registered`);
  return agent;
}

function beatsTooFar(): DomainError {
  const detail = 'expected at least two heartbeats before an agent counts as lost';
  return new DomainError('VALIDATION_FAILED', `Agent: /expireMs ${detail}`, {
    details: { errors: [{ pointer: '/expireMs', code: 'custom', detail }] },
  });
}
