import {
  DomainError,
  type CreateKey,
  type KeyView,
  type ListKeys,
  type NewKey,
  type Principal,
} from '@baton/contracts';
import { hashToken, type Authentication } from '@baton/runtime';
import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import type { Cursors, Page } from '../tasks/cursor.js';
import { iso } from '../tasks/task.events.js';
import { writeAudit } from '../write-path/audit.service.js';
import { hintOf, mintKey } from './key.secret.js';
import * as store from './key.store.js';

/** What admins do with API keys. */
export class KeyService {
  constructor(
    private readonly pool: Pool,
    private readonly authentication: Authentication,
    private readonly cursors: Cursors,
    private readonly mintId: () => string,
  ) {}

  /** The only answer that holds the key. */
  async create({ name, role, agentId, expiresAt }: CreateKey, { actor }: Principal): Promise<NewKey> {
    const key = mintKey();
    const row = await inTransaction(this.pool, async (db) => {
      const made = await store.insertKey(db, {
        id: this.mintId(),
        name,
        role,
        agentId: agentId ?? null,
        hint: hintOf(key),
        createdBy: actor,
        hash: hashToken(key),
        expiresAt: expiresAt ?? null,
      });
      if (made === undefined) throw nameTaken(name);
      const detail = { role, ...(agentId === undefined ? {} : { agentId }) };
      await writeAudit(db, [{ actor, action: 'key.create', subject: name, code: null, detail }]);
      return made;
    });
    return { ...toView(row), key };
  }

  async list({ cursor, limit }: ListKeys): Promise<Page<KeyView>> {
    const after = cursor === undefined ? '' : this.cursors.decode(cursor);
    const rows = await store.listKeys(this.pool, after, limit + 1);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const hasMore = rows.length > limit;
    const next = hasMore && last ? this.cursors.encode(last.name) : null;
    return { data: shown.map(toView), page: { next, hasMore } };
  }

  /** Here at once, in other replicas within 5 seconds. */
  async revoke(id: string, { actor }: Principal): Promise<void> {
    await inTransaction(this.pool, async (db) => {
      const name = await store.revokeKey(db, id);
      if (name === undefined) throw new DomainError('KEY_NOT_FOUND', `There is no API key ${id}`);
      await writeAudit(db, [{ actor, action: 'key.revoke', subject: name, code: null, detail: {} }]);
    });
    this.authentication.forget();
  }
}

function nameTaken(name: string): DomainError {
  const message = `An API key ${name} was made before; names stand in histories and are given once: take another`;
  return new DomainError('KEY_EXISTS', message);
}

function toView({ createdAt, expiresAt, lastUsedAt, revokedAt, ...key }: store.KeyRow): KeyView {
  return {
    ...key,
    createdAt: iso(createdAt),
    expiresAt: isoOrNull(expiresAt),
    lastUsedAt: isoOrNull(lastUsedAt),
    revokedAt: isoOrNull(revokedAt),
  };
}

function isoOrNull(time: number | null): string | null {
  return time === null ? null : iso(time);
}
