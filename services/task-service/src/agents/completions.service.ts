import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { Loop } from '../loop.js';
import type { CommitListener, Committed } from '../write-path/submission.js';
import { addCompletions } from './queue.store.js';

const EVERY_MS = 1_000;

/**
 * Counts what each agent completed, gathered in memory and written once a second: a row of the agent in every commit
 * would make all lanes wait for each other. A process that is killed takes the counts of its last second with it; the
 * figures of metrics-service come from the tasks themselves.
 */
export class CompletionsService implements Pick<CommitListener, 'committed'> {
  readonly loop: Loop;
  private counts = new Map<string, number>();

  constructor(
    private readonly pool: Pool,
    logger: Logger,
  ) {
    this.loop = new Loop('counts of completed tasks', EVERY_MS, () => this.write(), logger);
  }

  committed(changes: readonly Committed[]): void {
    for (const { after } of changes) {
      if (after.status !== 'completed' || after.lastAgentId === null) continue;
      this.counts.set(after.lastAgentId, (this.counts.get(after.lastAgentId) ?? 0) + 1);
    }
  }

  /** What is not written stays for the next time. */
  async write(): Promise<void> {
    const { counts } = this;
    if (counts.size === 0) return;
    this.counts = new Map();
    try {
      await addCompletions(this.pool, counts);
    } catch (error) {
      for (const [agentId, count] of counts)
        this.counts.set(agentId, (this.counts.get(agentId) ?? 0) + count);
      throw error;
    }
  }
}
