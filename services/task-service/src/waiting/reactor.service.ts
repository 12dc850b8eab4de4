import type { TaskEvent } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import type { WritePath } from '../write-path/write-path.service.js';
import { submitPages } from '../write-path/pages.js';
import { cascadeCancel, systemCommand } from './system.commands.js';
import { findDependents, findLiveChildren } from './waiting.store.js';

/** What an end causes elsewhere, as further commands: never inside the transaction of the cause. */
export class ReactorService {
  constructor(
    private readonly pool: Pool,
    private readonly writePath: WritePath,
  ) {}

  /** Unblocks dependents and takes a cancel down to the children. Harmless when it is told twice. */
  async ended(events: readonly TaskEvent[]): Promise<void> {
    const ids = events.map(({ subject }) => subject);
    await submitPages(this.writePath, {
      find: (page) => findDependents(this.pool, ids, page),
      idOf: (id) => id,
      toSubmission: (id) => systemCommand('unblock', id, 'reactor'),
    });
    const cancelled = events.filter(({ type }) => type === 'task.cancelled').map(({ subject }) => subject);
    if (cancelled.length === 0) return;
    await submitPages(this.writePath, {
      find: (page) => findLiveChildren(this.pool, cancelled, page),
      idOf: (id) => id,
      toSubmission: (id) => cascadeCancel(id, 'reactor'),
    });
  }
}
