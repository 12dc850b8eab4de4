import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Pool } from '../database/database.js';
import { classify } from '../database/pg.errors.js';
import { isStored, type EventRow } from './event.store.js';

/** Nobody can tell whether the batch was written: it must not be tried again in any form. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** Commits; throws when the connection was lost meanwhile, and then `wasCommitted` tells. */
export async function commit(client: Client): Promise<void> {
  const { command } = await client.query('COMMIT');
  if (command !== 'COMMIT') throw new Error(`expected COMMIT, the database answered ${command}`);
}

/**
 * The connection was lost during COMMIT: asks the database how the transaction ended, for as long as it takes. To
 * guess would lose an accepted command or do one twice.
 *
 * Once it is over, one of the events it wrote decides: a server that crashed gives the number of a transaction none
 * of which reached the disk to the next one, whose end would be taken for this one's. Only a transaction that wrote
 * no events, and so accepted nothing, is judged by its number.
 */
export async function wasCommitted(
  pool: Pool,
  transactionId: string,
  events: readonly EventRow[],
): Promise<boolean> {
  const [event] = events;
  for (let attempt = 1; ; attempt++) {
    try {
      const end = await endOf(pool, transactionId);
      if (end === 'aborted') return false;
      // Another statement, whose snapshot is later than the end.
      if (end !== 'in progress' && event !== undefined) return await isStored(pool, event);
      if (end === 'committed') return true;
      if (end === 'forgotten')
        throw new OutcomeUnknown(`the database no longer knows transaction ${transactionId}`);
    } catch (error) {
      if (error instanceof OutcomeUnknown || classify(error) !== 'unreachable') throw error;
    }
    await sleep(Math.min(1_000, 20 * 2 ** Math.min(attempt, 6)));
  }
}

/** `pg_xact_status`, which throws for a number that is still to be given out and gives null for a very old one. */
async function endOf(pool: Pool, transactionId: string): Promise<string> {
  try {
    const { rows } = await pool.query<{ status: string | null }>(
      'SELECT pg_xact_status($1::xid8) AS status',
      [transactionId],
    );
    return rows[0]?.status ?? 'forgotten';
  } catch (error) {
    // "transaction ID … is in the future": the server crashed and knows nothing of it.
    if ((error as { readonly code?: unknown }).code === '22023') return 'aborted';
    throw error;
  }
}
