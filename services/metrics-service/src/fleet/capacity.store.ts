import type { DataSource } from 'typeorm';
import { toDomainError } from '../database/database-error.js';

/** From this moment on (ISO 8601) an agent has so many slots; 0 while it is not online. */
export type CapacityStep = { readonly agent: string; readonly at: string; readonly slots: number };

/** How many slots each agent had when. */
export class CapacityStore {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** A step that is known changes nothing, so they may come in any order and again. */
  async save(steps: readonly CapacityStep[]): Promise<void> {
    try {
      await this.#dataSource.query(
        `${SAVE} SELECT agent, at, slots FROM ${STEPS} ON CONFLICT DO NOTHING`,
        columnsOf(steps),
      );
    } catch (error) {
      throw toDomainError(error);
    }
  }

  /** Keeps those steps that differ from the latest that is known of their agent. */
  async saveDiffering(steps: readonly CapacityStep[]): Promise<void> {
    await this.#dataSource.query(
      `${SAVE} SELECT agent, at, slots FROM ${STEPS} WHERE slots IS DISTINCT FROM coalesce((SELECT known.slots
        FROM metrics.capacity AS known WHERE known.agent = step.agent ORDER BY known.at DESC LIMIT 1), 0)
        ON CONFLICT DO NOTHING`,
      columnsOf(steps),
    );
  }
}

const SAVE = 'INSERT INTO metrics.capacity (agent, at, slots)';
const STEPS = 'unnest($1::text[], $2::timestamptz[], $3::int[]) AS step (agent, at, slots)';

function columnsOf(steps: readonly CapacityStep[]): unknown[][] {
  return [steps.map(({ agent }) => agent), steps.map(({ at }) => at), steps.map(({ slots }) => slots)];
}
