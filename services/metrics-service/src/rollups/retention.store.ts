import type { DataSource } from 'typeorm';
import { TASK_KEPT_DAYS } from '../ingest/flush.fold.js';
import { removeOldRollups } from './rollup.store.js';

const CAPACITY_KEPT_DAYS = 400;

/** Removes what has been kept long enough. */
export class RetentionStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async removeOld(): Promise<void> {
    await removeOldRollups(this.#dataSource.manager);
    // Longer than a stream keeps events, and than healing ever looks back: they come no more.
    await this.#dataSource.query(
      `DELETE FROM metrics.tasks WHERE task_id IN (SELECT task_id FROM metrics.tasks
        WHERE ended_at < clock_timestamp() - make_interval(days => $1) LIMIT 50000)`,
      [TASK_KEPT_DAYS],
    );
    // The latest step of an agent holds on.
    await this.#dataSource.query(
      `DELETE FROM metrics.capacity AS old WHERE at < clock_timestamp() - make_interval(days => $1)
        AND EXISTS (SELECT FROM metrics.capacity AS newer WHERE newer.agent = old.agent AND newer.at > old.at
          AND newer.at < clock_timestamp() - make_interval(days => $1))`,
      [CAPACITY_KEPT_DAYS],
    );
  }
}
