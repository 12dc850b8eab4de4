import type { Logger } from 'pino';
import { expireCommand } from '../agents/session.service.js';
import type { BudgetService } from '../usage/budget.service.js';
import type { Pool } from '../database/database.js';
import { Loop } from '../loop.js';
import type { CommitListener } from '../write-path/submission.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { submitPages, type Pages } from '../write-path/pages.js';
import { cascadeCancel, systemCommand } from './system.commands.js';
import { findAbandoned } from '../agents/agent.store.js';
import { findMet, findMetParents, findOrphans, findUnwatched } from './waiting.store.js';

const EVERY_MS = 30_000;

/**
 * Drives every unfinished task forward from Postgres alone: what a lost event, stream or process left behind. Runs at
 * start, after a stream was reset, and every 30 s. Each list reads an index of the states it concerns, so a run costs
 * O(blocked + held tasks + unfinished children).
 */
export function createReconciler(
  pool: Pool,
  writePath: WritePath,
  budgets: BudgetService,
  logger: Logger,
): Loop {
  return new Loop('reconciler', EVERY_MS, () => reconcile(pool, writePath, budgets, logger), logger);
}

async function reconcile(
  pool: Pool,
  writePath: WritePath,
  budgets: BudgetService,
  logger: Logger,
): Promise<void> {
  // Each for itself: one that cannot be read or written must not starve the others.
  const attempt = async (name: string, work: () => Promise<number>): Promise<[string, number]> => {
    try {
      return [name, await work()];
    } catch (error) {
      logger.warn({ list: name, error: String(error) }, 'a list was not reconciled; it is tried again');
      return [name, 0];
    }
  };
  const run = <T>(name: string, pages: Pages<T>) => attempt(name, () => submitPages(writePath, pages));
  const changed = await Promise.all([
    attempt('over budget', () => budgets.checkAll()),
    run('unblocked', {
      find: (page) => findMet(pool, page),
      idOf: (id) => id,
      toSubmission: (id) => systemCommand('unblock', id, 'reconciler'),
    }),
    run('children', {
      find: (page) => findMetParents(pool, page),
      idOf: (id) => id,
      toSubmission: (id) => systemCommand('unblock', id, 'reconciler'),
    }),
    run('cancelled', {
      find: (page) => findOrphans(pool, page),
      idOf: ({ id }) => id,
      toSubmission: (child) => cascadeCancel(child, 'reconciler'),
    }),
    run('unwatched', {
      find: (page) => findUnwatched(pool, page),
      idOf: (id) => id,
      toSubmission: (id) => systemCommand('due', id, 'reconciler'),
    }),
    run('expired', {
      find: (page) => findAbandoned(pool, page),
      idOf: ({ taskId }) => taskId,
      toSubmission: expireCommand,
    }),
  ]);
  if (changed.some(([, count]) => count > 0)) logger.info(Object.fromEntries(changed), 'reconciled');
}

/** A task that began to wait for something that ended meanwhile would wait for ever: looked at once more. */
export function recheckNewWaits(writePath: WritePath): Pick<CommitListener, 'committed'> {
  return {
    committed(changes) {
      for (const { recheck, after } of changes) {
        if (recheck) void writePath.submit(systemCommand('unblock', after.id, 'reconciler'));
      }
    },
  };
}
