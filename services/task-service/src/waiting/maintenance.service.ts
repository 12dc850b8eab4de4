import type { Logger } from 'pino';
import { forgetOldInbox } from '../agents/inbox.store.js';
import type { Pool } from '../database/database.js';
import { ensurePartitions } from '../database/partitions.js';
import { Loop } from '../loop.js';
import { forgetOldAudit } from '../write-path/audit.store.js';
import { forgetOldKeys } from '../write-path/idempotency.store.js';

const EVERY_MS = 3_600_000;

/** Hourly housekeeping: partitions for the months to come; keys, inbox rows and audit entries past their time. */
export function createMaintenance(pool: Pool, logger: Logger): Loop {
  return new Loop('housekeeping', EVERY_MS, (signal) => keepHouse(pool, signal), logger);
}

async function keepHouse(pool: Pool, signal: AbortSignal): Promise<void> {
  await ensurePartitions(async (statement) => (await pool.query(statement)).rows);
  await forgetOldKeys(pool, signal);
  await forgetOldInbox(pool, signal);
  await forgetOldAudit(pool, signal);
}
