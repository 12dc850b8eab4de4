import { ConsumesEvents } from '@baton/bus';
import { DURABLES, type TaskEvent } from '@baton/contracts';
import { Controller, Inject } from '@nestjs/common';
import type { Pool } from '../database/database.js';
import { POOL } from '../tokens.js';
import { WritePath } from '../write-path/write-path.service.js';
import { cascadeCancel, submitPages, systemCommand } from './system.commands.js';
import { findDependents, findLiveChildren } from './waiting.store.js';

/** What an end causes elsewhere, as further commands: never inside the transaction of the cause. */
@Controller()
export class ReactorsConsumer {
  constructor(
    private readonly writePath: WritePath,
    @Inject(POOL) private readonly pool: Pool,
  ) {}

  @ConsumesEvents({
    stream: 'TASKS',
    durable: DURABLES.reactors,
    subjects: ['task.completed', 'task.failed', 'task.cancelled'],
    maxInFlight: 16,
  })
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
