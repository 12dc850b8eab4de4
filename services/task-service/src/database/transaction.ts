import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Pool } from './database.js';
import { classify } from './pg.errors.js';

const CONFLICT_TRIES = 5;

/**
 * Runs `work` in a transaction: committed when it resolves, rolled back when it throws. Run again when it lost a race
 * (deadlock, serialisation), so it must do nothing outside the database.
 */
export async function inTransaction<T>(pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transactOnce(pool, work);
    } catch (error) {
      if (classify(error) !== 'conflict' || attempt === CONFLICT_TRIES) throw error;
      await sleep(Math.random() * 20 * attempt);
    }
  }
}

async function transactOnce<T>(pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => (broken = rollbackError));
    throw error;
  } finally {
    client.release(broken);
  }
}
