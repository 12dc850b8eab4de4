import type { MigrationInterface, QueryRunner } from 'typeorm';
import { buildIndex, buildPartitionedIndex, dropIndex } from '../concurrently.js';

const ENDED = `('completed','failed','cancelled')`;

/** SQL: a child that has not ended and follows its parent. */
export const LIVE_CHILD = `parent_task_id IS NOT NULL AND NOT detached AND status NOT IN ${ENDED}`;

/**
 * SQL: a limit of the state a task is in has nobody to watch it. This build writes none of these (`nextDue`): they are of
 * an older one that did not know the limit.
 */
export const UNWATCHED = `due_at IS NULL AND (status = 'assigned'
  OR (deadline IS NOT NULL AND status NOT IN ${ENDED})
  OR (queue_timeout IS NOT NULL AND status IN ('created','queued','blocked'))
  OR ((timeout IS NOT NULL OR progress_timeout IS NOT NULL) AND status = 'in_progress')
  OR ((available_at IS NOT NULL OR pinned_until IS NOT NULL) AND status = 'queued'))`;

const INDEXES = [
  ['tasks_live_children', `tasks (id) WHERE ${LIVE_CHILD}`],
  ['tasks_unwatched', `tasks (id) WHERE ${UNWATCHED}`],
] as const;

/**
 * What the reconciler and the archive look for, each by an index that a plain task never enters. What is held of a type
 * is counted along `tasks_by_type`: the index of its own, which every task entered twice, goes.
 */
export class RareStates1765210000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    for (const [name, definition] of INDEXES) await buildIndex(runner, name, definition);
    const deleted = { name: 'task_events_deleted', on: `(task_id) WHERE event_type = 'task.deleted'` };
    await buildPartitionedIndex(runner, 'task_events', deleted);
    await dropIndex(runner, 'tasks_held_type');
  }

  async down(runner: QueryRunner): Promise<void> {
    await buildIndex(runner, 'tasks_held_type', `tasks (type) WHERE status IN ('assigned','in_progress')`);
    await runner.query('DROP INDEX IF EXISTS task_events_deleted');
    for (const [name] of INDEXES) await dropIndex(runner, name);
  }
}
