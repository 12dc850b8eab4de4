import type { Bus } from '@baton/bus';
import {
  agentSubject,
  bestAnswer,
  DomainError,
  LIMITS,
  parse,
  SERVICE_SUBJECTS,
  type Actor,
  type AgentQueue,
  type AgentView,
  type Control,
  type QueuedTask,
  type QueueEntry,
  type Redistributed,
  type WorkloadView,
} from '@baton/contracts';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import { findFitting, findQueued } from '../distribution/backlog.store.js';
import { pinClass } from '../tasks/pin.policy.js';
import type { Caller } from '../tasks/task.service.js';
import { writeAudit } from '../write-path/audit.service.js';
import { answerOnce, type Answered } from '../write-path/answer.keys.js';
import type { AgentService } from './agent.service.js';
import { lockAgent, saveDrained } from './agent.store.js';
import { fleetData, insertFleetEvents, type FleetAnnouncer } from './fleet.events.js';
import { findCompleted, findHeldEntries } from './queue.store.js';
import type { RedistributionService } from './redistribution.service.js';

const PINNED_SHOWN = 100;
const BEST_MS = 1_000;

/** What operators do with an agent's work, and see of it. */
export class AgentOperations {
  constructor(
    private readonly pool: Pool,
    private readonly bus: Bus,
    private readonly agents: AgentService,
    private readonly announcer: FleetAnnouncer,
    private readonly redistribution: RedistributionService,
    private readonly logger: Logger,
  ) {}

  /** Gives the agent nothing more, whichever process of it comes; what it has not begun goes elsewhere. */
  drain(id: string, { actor, idempotency }: Caller): Promise<Answered<AgentView>> {
    return answerOnce(this.pool, idempotency, async () => {
      if (await this.setDrained(id, true, actor)) this.tell(id, { type: 'drain', reason: 'drained' });
      await this.redistribution.redistribute(id, actor);
      return this.agents.get(id);
    });
  }

  resume(id: string, { actor, idempotency }: Caller): Promise<Answered<AgentView>> {
    return answerOnce(this.pool, idempotency, async () => {
      if (await this.setDrained(id, false, actor)) this.tell(id, { type: 'rehello', reason: 'resumed' });
      return this.agents.get(id);
    });
  }

  redistribute(id: string, { actor, idempotency }: Caller): Promise<Answered<Redistributed>> {
    return answerOnce(this.pool, idempotency, async () => {
      await this.agents.get(id);
      return this.redistribution.redistribute(id, actor);
    });
  }

  async workload(id: string): Promise<WorkloadView> {
    const [{ workload }, completed] = await Promise.all([this.agents.get(id), findCompleted(this.pool, id)]);
    return { ...workload, completed };
  }

  /** O(what it holds, 100 of what waits for it, and a page of the classes it could serve). */
  async queue(id: string): Promise<AgentQueue> {
    const agent = await this.agents.get(id);
    const backlogClass = pinClass(id);
    const [held, waiting, soft] = await Promise.all([
      findHeldEntries(this.pool, id),
      findQueued(this.pool, [{ backlogClass, limit: PINNED_SHOWN }]),
      this.soft(agent),
    ]);
    const running = held.filter(({ isRunning }) => isRunning).map(toEntry);
    const bound = held.filter(({ isRunning }) => !isRunning).map(toEntry);
    const pinned = (waiting.get(backlogClass) ?? []).slice(0, PINNED_SHOWN).map(waitingEntry);
    const [next] = [...bound, ...pinned, ...(soft ?? [])];
    return { running, bound, pinned, soft, next: next?.taskId ?? null };
  }

  /** The ready tasks that would go to this agent now, as the distribution weighs the fleet. */
  private async soft(agent: AgentView): Promise<readonly QueueEntry[] | null> {
    const tasks = await findFitting(this.pool, agent, LIMITS.listPage);
    if (tasks.length === 0) return [];
    try {
      const request = { agentId: agent.id, tasks };
      const answer = await this.bus.request(SERVICE_SUBJECTS.best, request, { timeoutMs: BEST_MS });
      const best = new Set(parse(bestAnswer, answer, SERVICE_SUBJECTS.best).best);
      return tasks.filter(({ id }) => best.has(id)).map(waitingEntry);
    } catch (error) {
      this.logger.debug(
        { agent_id: agent.id, error: String(error) },
        'the distribution did not say what is soft',
      );
      return null;
    }
  }

  private async setDrained(id: string, drained: boolean, actor: Actor): Promise<boolean> {
    const outbox = await inTransaction(this.pool, async (db) => {
      if ((await lockAgent(db, id)) === undefined)
        throw new DomainError('AGENT_NOT_FOUND', `No agent ${id} is registered`);
      const agent = await saveDrained(db, id, drained);
      if (agent === undefined) return undefined;
      const what = drained ? 'drain' : 'resume';
      await writeAudit(db, [{ actor, action: `agent.${what}`, subject: id, code: null, detail: {} }]);
      return insertFleetEvents(db, [{ type: 'fleet.updated', agentId: id, data: fleetData(agent, what) }]);
    });
    if (outbox) await this.announcer.announce(outbox, [id]);
    return outbox !== undefined;
  }

  private tell(id: string, message: Control): void {
    this.bus.publishHint(agentSubject.control(id), message);
  }
}

function toEntry({ taskId, type, priority, since }: QueueEntry): QueueEntry {
  return { taskId, type, priority, since };
}

function waitingEntry({ id: taskId, type, priority, firstQueuedAt: since }: QueuedTask): QueueEntry {
  return { taskId, type, priority, since };
}
