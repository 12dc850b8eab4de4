import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '@baton/contracts';
import type { Logger } from 'pino';
import type { Client, Pool } from '../database/database.js';
import { classify } from '../database/pg.errors.js';
import { commit, OutcomeUnknown, wasCommitted } from './commit.js';
import type { Submission } from './submission.js';
import { writeBatch, type Written } from './transaction.js';

/** How long a batch is tried again while the database cannot be reached or others are in its way; callers wait that long. */
const PATIENCE_MS = 5_000;
const NOTHING = { outbox: undefined, events: [], committed: [], offerAgain: [], notified: [] };

/**
 * Runs a batch to a definite end: every submission of it committed or refused. `done` is called once for each part
 * that committed (a batch may be cut in two to find the command the database refuses), with the submissions and what
 * was written for them, in the same order.
 */
export async function runBatch(
  pool: Pool,
  logger: Logger,
  submissions: readonly Submission[],
  done: (submissions: readonly Submission[], written: Written) => void,
): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (let attempt = 1; ; attempt++) {
    let written: Written;
    try {
      written = await transact(pool, submissions);
    } catch (error) {
      const failure = classify(error);
      const isCommandAtFault =
        (failure === 'input' || failure === 'fault') && !(error instanceof OutcomeUnknown);
      if (isCommandAtFault && submissions.length > 1) {
        const middle = submissions.length >> 1;
        await runBatch(pool, logger, submissions.slice(0, middle), done);
        await runBatch(pool, logger, submissions.slice(middle), done);
        return;
      }
      const mayPass = failure === 'conflict' || failure === 'unreachable';
      if (!mayPass || performance.now() >= giveUpAt) {
        logger.error(
          { err: error, failure, commands: submissions.length, attempt },
          'batch refused by the database',
        );
        const refusal = toDomainError(failure, error);
        done(submissions, { ...NOTHING, settled: submissions.map(() => refusal) });
        return;
      }
      logger.warn({ failure, attempt, error: String(error) }, 'batch tried again');
      await sleep(Math.random() * Math.min(500, 10 * 2 ** attempt));
      continue;
    }
    done(submissions, written);
    return;
  }
}

async function transact(pool: Pool, submissions: readonly Submission[]): Promise<Written> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    // Assigned at once: after a lost connection it tells when the transaction is over.
    const transactionId = await begin(client);
    const written = await writeBatch(client, submissions);
    try {
      await commit(client);
    } catch (error) {
      if (classify(error) !== 'unreachable') throw error;
      broken = error as Error;
      if (!(await wasCommitted(pool, transactionId, written.events))) throw error;
    }
    return written;
  } catch (error) {
    broken ??= await rollback(client);
    throw error;
  } finally {
    client.release(broken);
  }
}

async function begin(client: Client): Promise<string> {
  const results = (await client.query(
    'BEGIN; SELECT pg_current_xact_id()::text AS id',
  )) as unknown as readonly { readonly rows: readonly { readonly id: string }[] }[];
  return results[1]?.rows[0]?.id ?? '';
}

/** Gives the error that makes the connection unfit for the pool, if the rollback failed too. */
async function rollback(client: Client): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function toDomainError(failure: ReturnType<typeof classify>, error: unknown): DomainError {
  switch (failure) {
    case 'input':
      return new DomainError(
        'VALIDATION_FAILED',
        `The database refused a value: ${(error as Error).message}`,
        { cause: error },
      );
    case 'conflict':
      return unavailable('Others hold what is to be changed', error);
    case 'unreachable':
      return unavailable('The database cannot be reached', error);
    case 'fault':
      return new DomainError('INTERNAL', 'The change could not be stored; nothing was changed', {
        cause: error,
      });
  }
}

function unavailable(why: string, cause: unknown): DomainError {
  return new DomainError('UNAVAILABLE', `${why}; nothing was changed. Try again.`, {
    cause,
    retryAfterMs: 1_000,
  });
}
