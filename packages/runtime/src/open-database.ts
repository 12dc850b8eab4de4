import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { explainDatabaseError, isDatabaseAway, isDatabaseRefusal } from './database-error.js';
import { StartError } from './start-error.js';

export type DatabaseOptions = {
  /** Where the database is, for what is told about it. */
  readonly url: string;
  readonly logger: Logger;
  /** Aborted when the process is to stop. */
  readonly signal: AbortSignal;
};

/** A database that is being opened. */
export type OpeningDatabase = {
  /**
   * Resolves with whether it was opened, which is false only when the signal was aborted first. Rejects with a
   * `StartError` when Postgres refuses us: only a person can change that.
   */
  readonly opened: Promise<boolean>;
  /** A check for readiness: throws why the database is not open yet. */
  readonly expectOpen: () => void;
};

const RETRY_MS = 500;
const TELL_AGAIN_MS = 10_000;

/**
 * Opens a database by `open`, again and again until that succeeds: among containers it often comes later than the
 * services. What is wrong is told at once and every ten seconds.
 */
export function openDatabase(
  open: () => Promise<void>,
  { url, logger, signal }: DatabaseOptions,
): OpeningDatabase {
  let problem: string | undefined = 'not connected yet';
  let toldAt = Number.NEGATIVE_INFINITY;
  const opened = run();
  // Whoever awaits it hears of it: a refusal may come before that.
  opened.catch(() => undefined);
  return {
    opened,
    expectOpen() {
      if (problem !== undefined) throw new Error(problem);
    },
  };

  async function run(): Promise<boolean> {
    while (!signal.aborted) {
      try {
        await open();
        problem = undefined;
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        const text = explainDatabaseError(error, url);
        if (isDatabaseRefusal(error)) throw new StartError(text, { cause: error });
        tell(text, isDatabaseAway(error) ? undefined : error);
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return false;
  }

  /** Where it is not the server, it is a fault of the program: the stack tells which. */
  function tell(text: string, fault: unknown): void {
    if (text === problem && performance.now() - toldAt < TELL_AGAIN_MS) return;
    problem = text;
    toldAt = performance.now();
    const line = `${text}; trying again until it works`;
    if (fault === undefined) logger.warn(line);
    else logger.error({ err: fault }, line);
  }
}
