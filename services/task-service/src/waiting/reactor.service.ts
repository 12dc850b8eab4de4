import { DomainError, type TaskEvent } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { isTerminal } from '../tasks/task.state.js';
import type { Settled } from '../write-path/submission.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { submitPages } from '../write-path/pages.js';
import { cascadeCancel, systemCommand } from './system.commands.js';
import { findBrokenChain, findDependents, findLiveChildren, findWaitingParents } from './waiting.store.js';

/** What an end causes elsewhere, as further commands: never inside the transaction of the cause. */
export class ReactorService {
  constructor(
    private readonly pool: Pool,
    private readonly writePath: WritePath,
  ) {}

  /**
   * Looks again at whoever waits for these tasks, and takes a cancel or a failure down to the children. Harmless when it
   * is told twice.
   */
  async ended(events: readonly TaskEvent[]): Promise<void> {
    await this.endChains(await this.unblockDependents(events.map(({ subject }) => subject)));
    await this.unblockParents(events);
    await this.endChildren(
      events.filter(({ type }) => type !== 'task.completed').map(({ subject }) => subject),
    );
  }

  /** Gives the dependents that ended because of it. */
  private async unblockDependents(ids: readonly string[]): Promise<readonly string[]> {
    const broken: string[] = [];
    await submitPages(this.writePath, {
      find: (page) => findDependents(this.pool, ids, page),
      idOf: (id) => id,
      toSubmission: (id) => systemCommand('unblock', id, 'reactor'),
      written: (outcomes) => broken.push(...outcomes.flatMap(endedTasks)),
    });
    return broken;
  }

  /**
   * Ends all that ends with these, along edges that fail or cancel their dependents. Whole stretches go into one batch,
   * which sees its own decisions, instead of an event for each link: a chain of 10,000 takes some twenty batches.
   * Whoever hears of tasks that somebody else ended finds nothing left to end, and stops.
   */
  private async endChains(broken: readonly string[]): Promise<void> {
    const pending = [...broken];
    while (pending.length > 0) {
      const causes = pending.splice(-STRETCH);
      const chain = await findBrokenChain(this.pool, causes, STRETCH);
      const [first] = chain;
      if (first === undefined) continue;
      const settled = await Promise.all(
        chain.map((id) =>
          this.writePath.submit({ ...systemCommand('unblock', id, 'reactor'), laneOf: first }),
        ),
      );
      const ended = settled.flatMap(endedTasks);
      // What was found in full has nothing behind it, and what did not end did not wait for these alone.
      if (chain.length === STRETCH && ended.length > 0) pending.push(...causes, ...ended);
    }
  }

  private async unblockParents(events: readonly TaskEvent[]): Promise<void> {
    const parents = events.map(({ data }) => data.parentTaskId).filter((id) => id !== null);
    if (parents.length === 0) return;
    await submitPages(this.writePath, {
      find: (page) => findWaitingParents(this.pool, [...new Set(parents)], page),
      idOf: (id) => id,
      toSubmission: (id) => systemCommand('unblock', id, 'reactor'),
    });
  }

  private async endChildren(broken: readonly string[]): Promise<void> {
    if (broken.length === 0) return;
    await submitPages(this.writePath, {
      find: (page) => findLiveChildren(this.pool, broken, page),
      idOf: ({ id }) => id,
      toSubmission: (child) => cascadeCancel(child, 'reactor'),
    });
  }
}

/** Tasks of a chain that are ended together. */
const STRETCH = 500;

/** The tasks a command ended itself. */
function endedTasks(settled: Settled): readonly string[] {
  if (settled instanceof DomainError) return [];
  return settled.tasks.filter(({ status }) => isTerminal(status)).map(({ id }) => id);
}
