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

/** Writes what is to be known beside accepted changes; of what a sender causes without end only so much. */
export async function writeAudit(db: Queryable, entries: readonly AuditEntry[]): Promise<void> {
  const kept = entries.filter((entry) => {
    const isKept = admits(limit, entry, performance.now());
    if (!isKept) suppressedTotal.inc({ action: entry.action });
    return isKept;
  });
  if (kept.length > 0) await insertAudit(db, kept);
}
