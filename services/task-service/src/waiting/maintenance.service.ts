import type { Logger } from 'pino';
import { forgetOldSessions } from '../agents/agent.store.js';
import { forgetOldInbox } from '../agents/inbox.store.js';
import { ensureMonths } from '../database/archive-tables.js';
import { forgetOldSeals } from '../audit/seal.store.js';
import { createMigrator, type Pool } from '../database/database.js';
import { ensurePartitions } from '../database/partitions.js';
import { forgetExpiredCredentials, forgetOldTokens } from '../enrolment/enrolment.store.js';
import { Loop } from '../loop.js';
import { forgetOldOperations } from '../operations/operation.store.js';
import { forgetFolded, forgetOldOutcomes } from '../outcomes/outcome.store.js';
import { forgetOldAudit } from '../write-path/audit.store.js';
import { forgetOldKeys } from '../write-path/idempotency.store.js';

const EVERY_MS = 3_600_000;

/** Hourly housekeeping: partitions for the months to come; keys, inbox rows, sessions, operations, audit entries, enrolment tokens, credentials and outcomes past their time. */
export function createMaintenance(pool: Pool, databaseUrl: string, logger: Logger): Loop {
  return new Loop(
    'housekeeping',
    EVERY_MS,
    (signal) => keepHouse({ pool, databaseUrl, logger, signal }),
    logger,
  );
}

type House = {
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

async function keepHouse({ pool, databaseUrl, logger, signal }: House): Promise<void> {
  const steps = {
    'partitions of months to come': () => addPartitions(databaseUrl),
    'old idempotency keys': () => forgetOldKeys(pool, signal),
    'old inbox rows': () => forgetOldInbox(pool, signal),
    'old sessions': () => forgetOldSessions(pool, signal),
    'old operations': () => forgetOldOperations(pool, signal),
    'old audit entries': () => forgetOldAudit(pool, signal),
    'old seals of the audit log': () => forgetOldSeals(pool, signal),
    'marks of folded events': () => forgetFolded(pool, signal),
    'old enrolment tokens': () => forgetOldTokens(pool, signal),
    'expired credentials of agents': () => forgetExpiredCredentials(pool, signal),
    'old outcomes': () => forgetOldOutcomes(pool, signal),
  };
  // Each for itself: one that fails must not starve the others.
  for (const [step, run] of Object.entries(steps)) {
    await run().catch((err: unknown) => {
      logger.error({ err, step }, 'a step of the housekeeping failed; it is tried again in an hour');
    });
  }
}

/** Without timeouts: events that are already there move to a new partition with it, in one statement. */
async function addPartitions(databaseUrl: string): Promise<void> {
  const dataSource = await createMigrator(databaseUrl).initialize();
  try {
    await ensurePartitions((sql) => dataSource.query(sql));
    await ensureMonths((sql) => dataSource.query(sql));
  } finally {
    await dataSource.destroy();
  }
}
