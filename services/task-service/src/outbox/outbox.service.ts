import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@baton/bus';
import { apart } from '@baton/telemetry';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { Loop } from '../loop.js';
import { claimOutbox, deleteOutbox, type OutboxRow } from './outbox.store.js';

const SWEEP_MS = 1_000;
const SWEEP_ROWS = 50;
const DELETE_GATHER_MS = 50;
/** Beyond this many rows on their way the sweeper takes over: a slow broker must not fill the memory. */
const IN_FLIGHT_ROWS = 2_000;

/** Carries committed messages to JetStream; a row is dropped only when the stream has acknowledged all of it. */
export class OutboxService {
  private readonly sending = new Set<Promise<boolean>>();
  private done: string[] = [];
  private deleting: Promise<void> | undefined;
  private readonly sweeper: Loop;

  constructor(
    private readonly bus: Bus,
    private readonly pool: Pool,
    private readonly logger: Logger,
  ) {
    this.sweeper = new Loop('outbox sweep', SWEEP_MS, () => this.sweep(), logger);
  }

  start(): void {
    this.sweeper.start();
  }

  /** Resolves when what is on its way is acknowledged and dropped, or has failed and is left to a sweeper. */
  async stop(): Promise<void> {
    await this.sweeper.stop();
    await Promise.all(this.sending);
    await this.deleting;
  }

  /** Publishes what this process just committed, from memory. Failure is no loss: the row waits for a sweep. */
  publish(row: OutboxRow): void {
    if (this.sending.size >= IN_FLIGHT_ROWS || !this.bus.isConnected()) return;
    void this.send(row);
  }

  /** Publishes rows nobody published in time. */
  private async sweep(): Promise<void> {
    let found = SWEEP_ROWS;
    while (found === SWEEP_ROWS && this.bus.isConnected()) {
      const rows = await claimOutbox(this.pool, SWEEP_ROWS);
      const sent = await Promise.all(rows.map((row) => this.send(row)));
      found = sent.every(Boolean) ? rows.length : 0;
    }
  }

  private send(row: OutboxRow): Promise<boolean> {
    const sent = this.sendNow(row).finally(() => this.sending.delete(sent));
    this.sending.add(sent);
    return sent;
  }

  private async sendNow(row: OutboxRow): Promise<boolean> {
    try {
      await Promise.all(
        row.messages.map(({ subject, msgId, body }) => this.bus.publishEvents(subject, msgId, body)),
      );
      this.done.push(row.id);
      this.deleting ??= apart(() => this.deleteDone());
      return true;
    } catch (error) {
      this.logger.warn(
        { outbox: row.id, error: String(error) },
        'events not published; the row waits for a sweep',
      );
      return false;
    }
  }

  /** Rows acknowledged within a moment go together: each delete is a transaction that only tidies up. */
  private async deleteDone(): Promise<void> {
    try {
      while (this.done.length > 0) {
        await sleep(DELETE_GATHER_MS);
        const ids = this.done;
        this.done = [];
        await deleteOutbox(this.pool, ids);
      }
    } catch (error) {
      // The rows stay and are published once more: consumers know events by task and version.
      this.logger.warn({ error: String(error) }, 'published outbox rows could not be dropped');
    }
    this.deleting = undefined;
  }
}
