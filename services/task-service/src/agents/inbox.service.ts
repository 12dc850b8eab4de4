import type { Bus } from '@baton/bus';
import { agentSubject, inboxAnswer } from '@baton/contracts';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { Loop } from '../loop.js';
import type { CommitListener } from '../write-path/submission.js';
import { acknowledgeInbox, claimOverdueInbox, findInbox } from './inbox.store.js';

const PAGE = 100;
const ANSWER_MS = 4_000;
const OVERDUE_MS = 5_000;

/** Delivers ends of tasks to the agents they concern until each is acknowledged. */
export class InboxService implements Pick<CommitListener, 'notified'> {
  private readonly delivering = new Map<string, Promise<void>>();
  private readonly again = new Set<string>();
  private readonly redelivery: Loop;
  private stopped = false;

  constructor(
    private readonly bus: Bus,
    private readonly pool: Pool,
    private readonly logger: Logger,
  ) {
    const deliverOverdue = async () => this.notified(await claimOverdueInbox(this.pool, PAGE));
    this.redelivery = new Loop('inbox redelivery', OVERDUE_MS, deliverOverdue, logger);
  }

  start(): void {
    this.redelivery.start();
  }

  /** Delivers nothing more; resolves when what is on its way is answered. The rest is delivered by other replicas. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.redelivery.stop();
    this.again.clear();
    await Promise.all(this.delivering.values());
  }

  notified(agentIds: readonly string[]): void {
    if (this.stopped) return;
    for (const agentId of agentIds) this.deliver(agentId);
  }

  /** One delivery to an agent at a time; what comes meanwhile is in the next. */
  private deliver(agentId: string): void {
    if (this.delivering.has(agentId)) {
      this.again.add(agentId);
      return;
    }
    const delivery = this.deliverPages(agentId).finally(() => {
      this.delivering.delete(agentId);
      if (this.again.delete(agentId)) this.deliver(agentId);
    });
    this.delivering.set(agentId, delivery);
  }

  private async deliverPages(agentId: string): Promise<void> {
    try {
      for (;;) {
        const { count, items } = await findInbox(this.pool, agentId, PAGE);
        if (items.length === 0) return;
        const answer = await this.bus.request(
          agentSubject.inbox(agentId),
          { items },
          { timeoutMs: ANSWER_MS },
        );
        const { ack } = inboxAnswer.parse(answer);
        const dropped = ack.length === 0 ? 0 : await acknowledgeInbox(this.pool, agentId, ack);
        if (dropped === 0 || count <= items.length || this.stopped) return;
      }
    } catch (error) {
      this.logger.debug(
        { agent_id: agentId, error: String(error) },
        'inbox not delivered; it is tried again',
      );
    }
  }
}
