import { HISTORY_BEGIN, type EventCursor } from '@baton/contracts';
import type { DataSource } from 'typeorm';
import { lockFlushes } from '../ingest/ingest.store.js';

/** How far the history is known to be counted. */
export type Progress = {
  readonly cursor: EventCursor;
  /** Where to go on in order of commits once the history was read in order of tasks. */
  readonly horizon: string;
  /** Rises when everything is forgotten: what was read for an earlier one says nothing. */
  readonly generation: number;
};

/** Where healing stands, for all replicas. */
export class ProgressStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** Nothing when the history was never read. */
  async read(): Promise<Progress | undefined> {
    const [row] = await this.#dataSource.query('SELECT cursor, horizon, generation FROM metrics.progress');
    return row;
  }

  /** Says whether it is still of the present generation; else nothing is kept. */
  async save({ cursor, horizon, generation }: Progress): Promise<boolean> {
    const [, saved] = await this.#dataSource.query(
      'UPDATE metrics.progress SET cursor = $1, horizon = $2 WHERE generation = $3',
      [cursor, horizon, generation],
    );
    return saved === 1;
  }

  /** Begins with the history from its first event, unless somebody did. */
  async begin(horizon: string): Promise<void> {
    await this.#dataSource.query(
      'INSERT INTO metrics.progress (cursor, horizon, generation) VALUES ($1, $2, 1) ON CONFLICT DO NOTHING',
      [HISTORY_BEGIN, horizon],
    );
  }

  /** Forgets every figure that follows from the history, to be counted again from its first event. */
  async forget(): Promise<void> {
    await this.#dataSource.transaction(async (manager) => {
      await lockFlushes(manager);
      await manager.query(
        'TRUNCATE metrics.tasks, metrics.totals, metrics.rollups, metrics.delegations, metrics.recoveries',
      );
      await manager.query(
        `INSERT INTO metrics.progress AS p (cursor, horizon, generation) VALUES ($1, '0', 1)
          ON CONFLICT (single) DO UPDATE SET cursor = excluded.cursor, horizon = excluded.horizon,
            generation = p.generation + 1`,
        [HISTORY_BEGIN],
      );
    });
  }
}
