import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import { refuseOtherBody, repeatedOutcome } from './batch.keys.js';
import { findKey, keepKeys } from './idempotency.store.js';
import type { Idempotency } from './submission.js';

export type Answered<T> = { readonly answer: T; readonly replayed: boolean };

/**
 * The answer to a request that is more than one change: worked out once, and given again to whoever repeats the
 * request with its key; `IDEMPOTENCY_MISMATCH` for another request with it. Of two at the same moment both do the
 * work, which must be harmless, and get one answer. What was refused, or broken off, may be tried again.
 */
export async function answerOnce<T extends object>(
  pool: Pool,
  idempotency: Idempotency | undefined,
  work: () => Promise<T>,
): Promise<Answered<T>> {
  if (idempotency === undefined) return { answer: await work(), replayed: false };
  const known = await findKey<T>(pool, idempotency);
  refuseOtherBody(idempotency, known);
  const [first] = known?.outcome ?? [];
  if (first !== undefined) return { answer: first, replayed: true };
  const answer = await work();
  return inTransaction(pool, async (db) => {
    const [earlier] = (await repeatedOutcome<T>(db, idempotency)) ?? [];
    if (earlier !== undefined) return { answer: earlier, replayed: true };
    await keepKeys(db, [{ idempotency, outcome: [answer] }]);
    return { answer, replayed: false };
  });
}
