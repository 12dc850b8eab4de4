import type { Logger } from 'pino';
import type { Client, Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import { Loop } from '../loop.js';
import { FIRST_ID } from '../write-path/pages.js';
import { everyMs, openArchivePool } from './archive.service.js';
import { isWritten, writeExport } from './export.files.js';
import {
  carryOver,
  dropMonth,
  findDependedOn,
  findLeavingMonths,
  freezeMonth,
  markExported,
  readLines,
  takeExportTurn,
  type LeavingMonth,
} from './export.store.js';

export type ExporterOptions = {
  readonly databaseUrl: string;
  /** How long a month of the archive is kept after its end, in seconds. */
  readonly keptSeconds: number;
  /** Where exports go; nothing is exported or dropped without one. */
  readonly directory: string | undefined;
  readonly logger: Logger;
};

export type Exporter = {
  readonly loop: Loop;
  /** What this process did since its start. */
  readonly counts: { tasks: number };
};

/**
 * Writes months of the archive that are old enough to files and then drops them. Each step is kept in the database
 * when it is done, and done again when it was not: a process that dies in the middle of one leaves it to the next.
 */
export function createExporter({ databaseUrl, keptSeconds, directory, logger }: ExporterOptions): Exporter {
  const counts = { tasks: 0 };
  const run = async (signal: AbortSignal): Promise<void> => {
    if (directory === undefined) return;
    // The turn is held by one connection, the work is done on the other.
    const pool = openArchivePool(databaseUrl, logger, 2);
    const turn = await pool.connect().catch(async (error: unknown) => {
      await pool.end();
      throw error;
    });
    try {
      if (!(await takeExportTurn(turn))) return;
      for (const month of await findLeavingMonths(pool, keptSeconds)) {
        if (signal.aborted) return;
        counts.tasks += await leave({ pool, turn, directory, logger, signal }, month);
      }
    } finally {
      // Closed for good: the turn goes with it.
      turn.release(true);
      await pool.end();
    }
  };
  return { loop: new Loop('export', everyMs(keptSeconds), run, logger), counts };
}

type Run = {
  readonly pool: Pool;
  readonly turn: Client;
  readonly directory: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

/** Takes a month from where it stands to the end; says how many tasks were written. */
async function leave({ pool, directory, logger, signal }: Run, leaving: LeavingMonth): Promise<number> {
  const { month, state, written } = leaving;
  const isThere = written !== null && (await isWritten(directory, written));
  if (state === 'exported' && !isThere) {
    logger.warn(
      { month, file: written?.file, directory },
      'an export is not there as it was written; it is done again',
    );
  }
  let tasks = 0;
  if (!isThere) {
    await freezeMonth(pool, month);
    while (await carryNeeded(pool, month));
    if (signal.aborted) return 0;
    const exported = await writeExport(directory, month, untilAborted(readLines(pool, month), signal));
    await markExported(pool, month, exported);
    logger.info({ month, ...exported }, 'exported a month of the archive');
    tasks = exported.tasks;
  }
  await inTransaction(pool, (client) => dropMonth(client, month));
  logger.info({ month }, 'dropped a month of the archive');
  return tasks;
}

/**
 * Whatever something outside the month depends on stays, in the month of now, with its whole tree. That may depend on
 * more of the month: true while there was any.
 */
async function carryNeeded(pool: Pool, month: string): Promise<boolean> {
  let hasCarried = false;
  for (let after: string | undefined = FIRST_ID; after !== undefined;) {
    const page: Awaited<ReturnType<typeof findDependedOn>> = await findDependedOn(pool, month, after);
    if (page.roots.length > 0) {
      await inTransaction(pool, (client) => carryOver(client, month, page.roots));
      hasCarried = true;
    }
    after = page.next;
  }
  return hasCarried;
}

async function* untilAborted(lines: AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<string> {
  for await (const line of lines) {
    signal.throwIfAborted();
    yield line;
  }
}
