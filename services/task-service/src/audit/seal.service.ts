import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import { Loop } from '../loop.js';
import {
  insertSeals,
  lastSeal,
  readSeals,
  readSlippedIn,
  readUnsealed,
  takeSealing,
  type Seal,
} from './seal.store.js';

const EVERY_MS = 15_000;
const PAGE = 1_000;
const LOWEST_ID = '00000000-0000-0000-0000-000000000000';
/** What the first link hangs on. */
const NOTHING: Seal = { seq: 0, entryId: LOWEST_ID, hash: Buffer.alloc(32) };

/**
 * Chains the entries of the audit log in the background, at most some 25 s behind them: whoever writes one waits for
 * nothing. One replica does it at a time. The end of the chain goes to the log of the process as well, which is kept
 * elsewhere: whoever rewrites the tables, seals and all, cannot rewrite that.
 */
export function createSealer(pool: Pool, logger: Logger): Loop {
  return new Loop(
    'the sealing of the audit log',
    EVERY_MS,
    async (signal) => {
      let last: Seal | undefined;
      for (let sealed = await sealPage(pool); sealed.length > 0 && !signal.aborted;) {
        last = sealed.at(-1);
        sealed = sealed.length < PAGE ? [] : await sealPage(pool);
      }
      if (last !== undefined) {
        logger.info({ seq: last.seq, hash: last.hash.toString('hex') }, 'sealed the audit log');
      }
    },
    logger,
  );
}

function sealPage(pool: Pool): Promise<readonly Seal[]> {
  return inTransaction(pool, async (db) => {
    if (!(await takeSealing(db))) return [];
    let last = (await lastSeal(db)) ?? NOTHING;
    const seals = (await readUnsealed(db, last.entryId, PAGE)).map(({ id: entryId, text }) => {
      last = { seq: last.seq + 1, entryId, hash: linkOf(last.hash, text) };
      return last;
    });
    if (seals.length > 0) await insertSeals(db, seals);
    return seals;
  });
}

function linkOf(before: Uint8Array, text: string): Buffer {
  return createHash('sha256').update(before).update(text).digest();
}

/** Something about an entry of the audit log that cannot be. */
export type SealProblem = { readonly entryId: string; readonly problem: string };
export type SealReport = {
  readonly sealed: number;
  readonly problems: number;
  /** The end of the chain, as `seq:hash`. */
  readonly head: string;
};

/** Follows the chain over the audit log and tells each entry that was changed, removed or put in between. */
export async function auditSeals(pool: Pool, onProblem: (problem: SealProblem) => void): Promise<SealReport> {
  let [problems, sealed] = [0, 0];
  const tell = (entryId: string, problem: string) => {
    problems += 1;
    onProblem({ entryId, problem });
  };
  let last: Seal | undefined;
  for (let isMore = true; isMore;) {
    const page = await readSeals(pool, last?.seq ?? 0, PAGE);
    for (const { seq, entryId, hash, text, mayBeGone } of page) {
      // The oldest seal that is left stands on one that was forgotten: what it says is taken as it is.
      const before = last ?? (seq === 1 ? NOTHING : undefined);
      if (before !== undefined && seq !== before.seq + 1)
        tell(entryId, `seals ${before.seq + 1} to ${seq - 1} before its own are gone`);
      if (before !== undefined && entryId <= before.entryId) tell(entryId, 'it is not in its place');
      if (text === null && !mayBeGone) tell(entryId, 'it was sealed and is gone');
      else if (text !== null && before?.seq === seq - 1 && !linkOf(before.hash, text).equals(hash))
        tell(entryId, 'it is not what was sealed');
      last = { seq, entryId, hash };
      sealed += 1;
    }
    isMore = page.length === PAGE;
  }
  const { seq, hash, entryId: upTo } = last ?? NOTHING;
  for (const id of await readSlippedIn(pool, upTo, PAGE)) tell(id, 'it was put among what is sealed');
  return { sealed, problems, head: `${seq}:${hash.toString('hex')}` };
}
