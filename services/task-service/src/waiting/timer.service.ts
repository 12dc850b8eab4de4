import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { Loop } from '../loop.js';
import type { WritePath } from '../write-path/write-path.service.js';
import type { StealingService } from './stealing.service.js';
import { systemCommand } from './system.commands.js';
import { claimDue } from './waiting.store.js';

type Stealing = Pick<StealingService, 'look'>;

const EVERY_MS = 250;
const BATCH = 500;

/** Turns passed `dueAt`s into commands. One query every 250 ms, however many tasks wait: no timer per task. */
export function createTimer(pool: Pool, writePath: WritePath, stealing: Stealing, logger: Logger): Loop {
  return new Loop('timer', EVERY_MS, () => runDue(pool, writePath, stealing), logger);
}

async function runDue(pool: Pool, writePath: WritePath, stealing: Stealing): Promise<void> {
  let claimed = BATCH;
  while (claimed === BATCH) {
    const due = await claimDue(pool, BATCH);
    await Promise.all(due.map(({ id }) => writePath.submit(systemCommand('due', id, 'timer'))));
    // Behind the command, which says when to look again. Nothing waits for the answers of the distribution.
    const unstarted = due.filter(({ isUnstarted }) => isUnstarted).map(({ id }) => id);
    if (unstarted.length > 0) void stealing.look(unstarted);
    claimed = due.length;
  }
}
