import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import type { Queryable } from '../database/database.js';
import { admits, createAuditLimit } from './audit.policy.js';
import { insertAudit, type AuditEntry } from './audit.store.js';

const suppressedTotal = new Counter({
  name: 'baton_audit_suppressed_total',
  help: 'Entries of the audit log that were not kept, as one sender caused too many, by action',
  labelNames: ['action'],
});

// One for the process: what it bounds is one table, whoever writes to it.
const limit = createAuditLimit(performance.now());

const TELL_AGAIN_MS = 3_600_000;
let toldAt = Number.NEGATIVE_INFINITY;
let log: Pick<Logger, 'warn'> | undefined;

/** Where it is told that entries are not kept: when that begins, and once an hour while it goes on. */
export function tellSuppressedTo(logger: Pick<Logger, 'warn'>): void {
  log = logger;
}

/** Writes what is to be known beside accepted changes; of what a sender causes without end only so much. */
export async function writeAudit(db: Queryable, entries: readonly AuditEntry[]): Promise<void> {
  const kept = entries.filter((entry) => {
    const isKept = admits(limit, entry, performance.now());
    if (!isKept) suppress(entry);
    return isKept;
  });
  if (kept.length > 0) await insertAudit(db, kept);
}

function suppress({ actor, action }: AuditEntry): void {
  suppressedTotal.inc({ action });
  if (performance.now() - toldAt < TELL_AGAIN_MS) return;
  toldAt = performance.now();
  log?.warn(
    { actor, action },
    'entries of the audit log are not kept: agents cause too many, this one now; baton_audit_suppressed_total counts them',
  );
}
