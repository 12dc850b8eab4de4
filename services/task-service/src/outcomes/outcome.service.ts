import type { TaskEvent } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import { isOutcome, lessonsOf } from './outcomes.fold.js';
import { addLessons, markFolded } from './outcome.store.js';

/** Learns from the ends of attempts how well agents do what they say they can, and how long it takes them. */
export class OutcomeService {
  constructor(private readonly pool: Pool) {}

  /**
   * Each event counts once, however often it is told. Two statements whatever the number of events, in none of which
   * a row is read that none of them concerns.
   */
  async learn(events: readonly TaskEvent[]): Promise<void> {
    const outcomes = events.filter(isOutcome);
    if (outcomes.length === 0) return;
    await inTransaction(this.pool, async (db) => {
      const fresh = await markFolded(db, outcomes);
      const lessons = lessonsOf(outcomes.filter(({ id }) => fresh.has(id)));
      if (lessons.length > 0) await addLessons(db, lessons);
    });
  }
}
