import type { Logger } from 'pino';
import { forgetOldInbox } from '../agents/inbox.store.js';
import type { Pool } from '../database/database.js';
import { ensurePartitions } from '../database/partitions.js';
import { Loop } from '../loop.js';
import { forgetOldKeys } from '../write-path/idempotency.store.js';

const EVERY_MS = 3_600_000;

/** Hourly housekeeping: partitions for the months to come, keys and inbox rows past their time. */
export function createMaintenance(pool: Pool, logger: Logger): Loop {
  return new Loop('housekeeping', EVERY_MS, () => keepHouse(pool), logger);
}

async function keepHouse(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await ensurePartitions((statement) => client.query(statement), new Date());
    await forgetOldKeys(client);
    await forgetOldInbox(client);
  } finally {
    client.release();
  }
}
