import {
  DomainError,
  registerAgent,
  type ExpireAnswer,
  type ExpireRequest,
  type Goodbye,
  type Hello,
} from '@baton/contracts';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import { writeAudit } from '../write-path/audit.service.js';
import { submitPages } from '../write-path/pages.js';
import type { RedistributionService } from './redistribution.service.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { beyondGrant } from '../enrolment/enrolment.policy.js';
import { findGrant } from '../enrolment/enrolment.store.js';
import * as store from './agent.store.js';
import { FleetAnnouncer, fleetData, insertFleetEvents } from './fleet.events.js';
import { decideEpoch } from './session.decide.js';

/** Whether an agent nobody registered may join by saying hello. */
export type Enrolment = 'open' | 'closed';

/** The lives of agents: hello, goodbye, found silent. Changes agent rows only; tasks follow as commands. */
export class SessionService {
  private readonly expiring = new Set<Promise<void>>();

  constructor(
    private readonly pool: Pool,
    private readonly announcer: FleetAnnouncer,
    private readonly writePath: WritePath,
    private readonly logger: Logger,
    private readonly enrolment: Enrolment,
    private readonly redistribution: RedistributionService,
  ) {}

  /**
   * Brings the agent online and says which epoch its process has; throws `STALE_SESSION` for a replaced one. A process
   * that drains goes on draining: it reconnected, and is to end all the same; so does an agent an operator drained.
   */
  async hello(id: string, hello: Hello): Promise<store.Agent> {
    const { agent, outbox } = await inTransaction(this.pool, async (db) => {
      const before = (await store.lockAgent(db, id)) ?? (await this.enrol(db, id));
      const granted = await findGrant(db, id);
      const beyond = granted && beyondGrant(granted, hello);
      if (beyond !== undefined) throw beyondWhatWasGranted(id, beyond);
      const instanceEpoch = await store.findInstanceEpoch(db, id, hello.instance);
      const epoch = decideEpoch({ agentId: id, status: before.status, epoch: before.epoch, instanceEpoch });
      if (epoch instanceof DomainError) throw epoch;
      const isSame = epoch === before.epoch;
      const isDraining = before.drained || (isSame && before.status === 'draining');
      const status = isDraining ? 'draining' : 'online';
      await store.saveSession(db, id, epoch, hello);
      const online = await store.saveHello(db, { id, epoch, status }, hello);
      const type = isSame ? 'fleet.updated' : 'fleet.online';
      const reason = isSame ? 'reconnected' : 'hello';
      const changes = [{ type, agentId: id, data: fleetData(online, reason) }] as const;
      if (!isSame) await writeAudit(db, [audit(id, 'agent.hello', { epoch, instance: hello.instance })]);
      return { agent: online, outbox: await insertFleetEvents(db, changes) };
    });
    await this.announcer.announce(outbox, [id]);
    this.expireTasks([id]);
    return agent;
  }

  /** `drain`: no new tasks; `leave`: the epoch is over and what it still held goes elsewhere. */
  async goodbye(id: string, { epoch, mode }: Goodbye): Promise<'draining' | 'offline'> {
    const status = mode === 'drain' ? 'draining' : 'offline';
    const left = await this.changeStatus(id, epoch, status, mode);
    if (left && status === 'offline') this.expireTasks([id], [id]);
    return status;
  }

  /**
   * Ends the epochs named, each agent's row committed alone; then their tasks, as commands of their own. An item that
   * fails is answered so and asked again; it holds up none of the others.
   */
  async expire({ items }: ExpireRequest): Promise<ExpireAnswer> {
    const answers = await Promise.all(items.map((item) => this.expireOne(item)));
    const done = items.filter((_, index) => answers[index]?.ok).map(({ agentId }) => agentId);
    // Also of agents that were offline already: whoever ended them may not have come to their tasks.
    if (done.length > 0) this.expireTasks(done, done);
    return { items: answers };
  }

  private async expireOne({
    agentId,
    epoch,
    silentMs,
  }: ExpireRequest['items'][number]): Promise<ExpireAnswer['items'][number]> {
    try {
      const expired = await this.changeStatus(agentId, epoch, 'offline', 'silent');
      if (expired) this.logger.warn({ agent_id: agentId, epoch, silent_ms: silentMs }, 'agent expired');
      return { ok: true, agentId, expired };
    } catch (error) {
      this.logger.warn(
        { agent_id: agentId, epoch, error: String(error) },
        'agent could not be expired; asked again',
      );
      const refusal = new DomainError('UNAVAILABLE', `Agent ${agentId} could not be expired; ask again`, {
        cause: error,
      });
      return { ok: false, error: refusal.toBody() };
    }
  }

  private async enrol(db: Parameters<typeof store.lockAgent>[0], id: string): Promise<store.Agent> {
    if (this.enrolment === 'closed') {
      throw new DomainError(
        'AGENT_NOT_FOUND',
        `No agent ${id} is registered; register it with POST /v1/agents first`,
      );
    }
    await store.insertAgent(db, registerAgent.parse({ id }));
    if (await store.wasRemoved(db, id)) {
      throw new DomainError('AGENT_NOT_FOUND', `Agent ${id} was removed; its id is never given again`);
    }
    const agent = await store.lockAgent(db, id);
    if (agent === undefined) throw new Error(`agent ${id} is not there after it was written`);
    return agent;
  }

  private async changeStatus(
    id: string,
    epoch: number,
    status: 'draining' | 'offline',
    reason: string,
  ): Promise<boolean> {
    const outbox = await inTransaction(this.pool, async (db) => {
      const agent = await store.saveStatus(db, id, epoch, status);
      if (agent === undefined) return undefined;
      await writeAudit(db, [audit(id, `agent.${status}`, { epoch, reason })]);
      const type = status === 'offline' ? 'fleet.offline' : 'fleet.updated';
      return insertFleetEvents(db, [{ type, agentId: id, data: fleetData(agent, reason) }]);
    });
    if (outbox === undefined) return false;
    await this.announcer.announce(outbox, [id]);
    return true;
  }

  /** Resolves when the tasks of those who left are taken from them, as far as was asked for until now. */
  async stop(): Promise<void> {
    await Promise.all(this.expiring);
  }

  /** Takes from these agents what they can no longer hold, behind the answer; from those `gone` also what was to come. */
  private expireTasks(agentIds: readonly string[], gone: readonly string[] = []): void {
    const expired = this.expireTasksOf(agentIds, gone).finally(() => this.expiring.delete(expired));
    this.expiring.add(expired);
  }

  /** Never rejects: failure here is healed by the reconciler. */
  private async expireTasksOf(agentIds: readonly string[], gone: readonly string[]): Promise<void> {
    try {
      await submitPages(this.writePath, {
        find: (page) => store.findAbandoned(this.pool, page, agentIds),
        idOf: ({ taskId }) => taskId,
        toSubmission: expireCommand,
      });
      for (const agentId of gone)
        await this.redistribution.unpin(agentId, 'system:presence', 'expired', { onlyHandedOn: true });
    } catch (error) {
      this.logger.warn(
        { agents: agentIds, error: String(error) },
        'tasks of lost agents are left to the reconciler',
      );
    }
  }
}

/** The command that takes a task from a holder that is gone. */
export function expireCommand({ taskId, agentId, attempt, holderEpoch }: store.HeldTask) {
  return {
    command: { kind: 'expire', taskId, agentId, attempt, deadEpoch: holderEpoch ?? 0 },
    actor: 'system:presence',
    traceparent: null,
    commandId: null,
    bytes: 0,
  } as const;
}

function beyondWhatWasGranted(id: string, beyond: string): DomainError {
  const message = `Agent ${id} announces ${beyond}; announce less, or ask an operator for a token that grants it`;
  return new DomainError('FORBIDDEN', message);
}

function audit(id: string, action: string, detail: Readonly<Record<string, unknown>>) {
  return { actor: `agent:${id}`, action, subject: id, code: null, detail };
}
