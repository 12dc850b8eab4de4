import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskEvent } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { classify } from '../database/pg.errors.js';
import { inTransaction } from '../database/transaction.js';
import { isOutcome, lessonsOf } from './outcomes.fold.js';
import { addLessons, markFolded } from './outcome.store.js';

/**
 * What ends within so long is learned together: a busy agent's rows then change once and not with every batch that ends
 * some of its tasks. Nothing is decided by what was learned within a moment.
 */
const GATHER_MS = 500;

/** The ends one message told, and whoever waits to acknowledge it. */
type Gathered = {
  readonly outcomes: readonly TaskEvent[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

/** Learns from the ends of attempts how well agents do what they say they can, and how long it takes them. */
export class OutcomeService {
  private gathered: Gathered[] = [];
  private running: Promise<void> | undefined;

  constructor(private readonly pool: Pool) {}

  /**
   * Resolves when what these events teach is committed. Each event counts once, however often it is told. Two statements
   * whatever the number of events, in none of which a row is read that none of them concerns.
   */
  learn(events: readonly TaskEvent[]): Promise<void> {
    const outcomes = events.filter(isOutcome);
    if (outcomes.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.gathered.push({ outcomes, resolve, reject });
      this.running ??= this.run();
    });
  }

  private async run(): Promise<void> {
    while (this.gathered.length > 0) {
      await sleep(GATHER_MS);
      const messages = this.gathered;
      this.gathered = [];
      await this.settle(messages);
    }
    this.running = undefined;
  }

  /** Never rejects. */
  private async settle(messages: readonly Gathered[]): Promise<void> {
    try {
      await this.save(onceEach(messages.flatMap(({ outcomes }) => outcomes)));
      for (const { resolve } of messages) resolve();
    } catch (error) {
      const failure = classify(error);
      const isOneAtFault = messages.length > 1 && (failure === 'input' || failure === 'fault');
      // Only the message that holds what the database refuses may fail.
      if (isOneAtFault) for (const message of messages) await this.settle([message]);
      else for (const { reject } of messages) reject(error);
    }
  }

  private save(outcomes: readonly TaskEvent[]): Promise<void> {
    return inTransaction(this.pool, async (db) => {
      const fresh = await markFolded(db, outcomes);
      const lessons = lessonsOf(outcomes.filter(({ id }) => fresh.has(id)));
      if (lessons.length > 0) await addLessons(db, lessons);
    });
  }
}

/** An event that came again before it was saved is one. */
function onceEach(events: readonly TaskEvent[]): readonly TaskEvent[] {
  return [...new Map(events.map((event) => [event.id, event])).values()];
}
