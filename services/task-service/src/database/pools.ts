import { createPool, type Pool } from './database.js';

/** Connections to Postgres by what they are for, so that none waits for what matters less. */
export type Pools = {
  /** Offers, reads, hellos, timers. */
  readonly other: Pool;
  /** For the write path alone. */
  readonly lanes: Pool;
  /** Commits without waiting for the disk: what tidies up need not survive a crash, it is done again. */
  readonly tidy: Pool;
  /** Lists are for people and may be slow: they take no connection from what tasks wait for. */
  readonly lists: Pool;
};

/** Opens the pools for that many lanes; `onError` hears of connections that were lost. */
export function createPools(url: string, lanes: number, onError: (error: Error) => void): Pools {
  const connection = { url, onError };
  return {
    other: createPool({ ...connection, size: 8 }),
    // Two for each lane: one that lost its connection during a COMMIT asks over a second one what became of it.
    lanes: createPool({ ...connection, size: 2 * (2 * lanes + 1) }),
    tidy: createPool({ ...connection, size: 2, synchronousCommit: 'off' }),
    lists: createPool({ ...connection, size: 4, planBy: 'rows' }),
  };
}
