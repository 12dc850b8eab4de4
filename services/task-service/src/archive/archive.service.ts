import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createPool, type Client, type Pool } from '../database/database.js';
import { classify } from '../database/pg.errors.js';
import { inTransaction } from '../database/transaction.js';
import { Loop } from '../loop.js';
import { lowestId } from '../tasks/task-id.js';
import { FIRST_ID } from '../write-path/pages.js';
import { archiveDeleted, archiveTrees, findCandidates, readTime, takeTurn } from './archive.store.js';

/** Statements of the archive read a page of trees or move a chunk of one, while nobody waits for them. */
const ARCHIVE_STATEMENT_MS = 60_000;

export type ArchiverOptions = {
  readonly databaseUrl: string;
  /** How long an ended task stays in the hot tables, in seconds. */
  readonly hotSeconds: number;
  readonly logger: Logger;
};

export type Archiver = {
  readonly loop: Loop;
  /** What this process did since its start. */
  readonly counts: { tasks: number };
};

/**
 * Moves whole trees that ended `hotSeconds` ago to the archive, a thousand tasks a transaction, and rests after each
 * as long as it took. A run walks over all tasks that are older than that, by primary key: O(tasks that are old and
 * still there), every hour at most. Replicas take turns, transaction by transaction; one that dies leaves nothing half moved.
 */
export function createArchiver({ databaseUrl, hotSeconds, logger }: ArchiverOptions): Archiver {
  const counts = { tasks: 0 };
  const run = async (signal: AbortSignal): Promise<void> => {
    const pool = openArchivePool(databaseUrl, logger);
    try {
      await archiveAll({ pool, hotSeconds, logger, signal, counts });
    } finally {
      await pool.end();
    }
  };
  return { loop: new Loop('archive', everyMs(hotSeconds), run, logger), counts };
}

/** Connections, one unless more are asked for, that may take their time. */
export function openArchivePool(url: string, logger: Logger, size = 1): Pool {
  const onError = (error: Error): void =>
    logger.warn({ error: error.message }, 'a connection of the archive was lost');
  return createPool({ url, size, onError, statementTimeoutMs: ARCHIVE_STATEMENT_MS });
}

/** A tenth of the time something is kept: it stays that much longer at most. Between a second and an hour. */
export function everyMs(keptSeconds: number): number {
  return Math.min(Math.max(keptSeconds * 100, 1_000), 3_600_000);
}

type Run = Pick<ArchiverOptions, 'hotSeconds' | 'logger'> & {
  readonly pool: Pool;
  readonly signal: AbortSignal;
  readonly counts: Archiver['counts'];
};

async function archiveAll({ pool, hotSeconds, logger, signal, counts }: Run): Promise<void> {
  const endedBefore = (await readTime(pool)) - hotSeconds * 1_000;
  // Nothing ended before it was made, and ids tell when that was.
  const before = lowestId(endedBefore);
  for (let after: string | undefined = FIRST_ID; after !== undefined && !signal.aborted;) {
    const page: Awaited<ReturnType<typeof findCandidates>> = await findCandidates(pool, {
      after,
      before,
      endedBefore,
    });
    for (const roots of page.groups) {
      if (signal.aborted) return;
      const began = performance.now();
      const moved = await archiveGroup(pool, roots, endedBefore).catch((error: unknown) => {
        if (classify(error) === 'unreachable') throw error;
        logger.error(
          { err: error, roots: roots.slice(0, 5) },
          'trees could not be archived; the next ones are',
        );
        return 0;
      });
      if (moved === 'not our turn') return;
      counts.tasks += moved;
      await sleep(performance.now() - began, undefined, { signal }).catch(() => undefined);
    }
    after = page.next;
  }
  for (let moved = 1; moved > 0 && !signal.aborted;) {
    const outcome = await inTurn(pool, (client, month) => archiveDeleted(client, { endedBefore, month }));
    moved = outcome === 'not our turn' ? 0 : outcome;
  }
}

function archiveGroup(
  pool: Pool,
  roots: readonly string[],
  endedBefore: number,
): Promise<number | 'not our turn'> {
  return inTurn(pool, (client, month) => archiveTrees(client, roots, { endedBefore, month }));
}

function inTurn(
  pool: Pool,
  move: (client: Client, month: string) => Promise<number>,
): Promise<number | 'not our turn'> {
  return inTransaction(pool, async (client) => {
    const month = await takeTurn(client);
    return month === undefined ? 'not our turn' : move(client, month);
  });
}
