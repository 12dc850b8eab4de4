import type { AuditEntryView, ListAudit } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import type { Cursors, Page } from '../tasks/cursor.js';
import { pageAudit } from './audit-log.store.js';

/** The audit log as operators read it. */
export class AuditLog {
  constructor(
    private readonly pool: Pool,
    private readonly cursors: Cursors,
  ) {}

  async page({ cursor, limit, ...filter }: ListAudit): Promise<Page<AuditEntryView>> {
    const { actor = null, action = null, subject = null, from = null, to = null } = filter;
    const context = JSON.stringify([actor, action, subject, from, to]);
    const before = cursor === undefined ? undefined : this.cursors.decode(cursor, context);
    const found = await pageAudit(this.pool, filter, { before, limit: limit + 1 });
    const data = found.slice(0, limit);
    const last = data.at(-1);
    const hasMore = found.length > limit;
    return { data, page: { next: hasMore && last ? this.cursors.encode(last.id, context) : null, hasMore } };
  }
}
