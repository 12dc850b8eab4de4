import {
  DomainError,
  ENROLMENT_PREFIX,
  type Actor,
  type CreateEnrolmentToken,
  type EnrolmentTokenView,
  type ListEnrolmentTokens,
  type NewEnrolmentToken,
} from '@baton/contracts';
import { hashToken } from '@baton/runtime';
import { hintOf, mintKey } from '../access/key.secret.js';
import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import type { Cursors, Page } from '../tasks/cursor.js';
import { iso } from '../tasks/task.events.js';
import { writeAudit } from '../write-path/audit.service.js';
import * as store from './enrolment.store.js';

/** What operators do with the tokens by which agents enrol themselves. */
export class EnrolmentTokens {
  constructor(
    private readonly pool: Pool,
    private readonly cursors: Cursors,
    private readonly mintId: () => string,
  ) {}

  /** The only answer that holds the token. */
  async create(wanted: CreateEnrolmentToken, actor: Actor): Promise<NewEnrolmentToken> {
    const { agentId = null, capabilities = null, maxConcurrent = null, expiresInSeconds: seconds } = wanted;
    const token = mintKey(ENROLMENT_PREFIX);
    const id = this.mintId();
    const row = await inTransaction(this.pool, async (db) => {
      const grant = { capabilities, maxConcurrent };
      const secret = { hint: hintOf(token), hash: hashToken(token) };
      const made = await store.insertToken(db, {
        id,
        agentId,
        createdBy: actor,
        seconds,
        ...grant,
        ...secret,
      });
      const detail = { ...wanted };
      await writeAudit(db, [{ actor, action: 'enrolment-token.create', subject: id, code: null, detail }]);
      return made;
    });
    return { ...toView(row), token };
  }

  async list({ cursor, limit }: ListEnrolmentTokens): Promise<Page<EnrolmentTokenView>> {
    const before = cursor === undefined ? null : this.cursors.decode(cursor);
    const rows = await store.listTokens(this.pool, before, limit + 1);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const hasMore = rows.length > limit;
    const next = hasMore && last ? this.cursors.encode(last.id) : null;
    return { data: shown.map(toView), page: { next, hasMore } };
  }

  async revoke(id: string, actor: Actor): Promise<void> {
    await inTransaction(this.pool, async (db) => {
      if (!(await store.revokeToken(db, id))) {
        throw new DomainError('TOKEN_NOT_FOUND', `There is no enrolment token ${id}`);
      }
      await writeAudit(db, [
        { actor, action: 'enrolment-token.revoke', subject: id, code: null, detail: {} },
      ]);
    });
  }
}

function toView({ createdAt, expiresAt, usedAt, revokedAt, ...token }: store.TokenRow): EnrolmentTokenView {
  return {
    ...token,
    createdAt: iso(createdAt),
    expiresAt: iso(expiresAt),
    usedAt: usedAt === null ? null : iso(usedAt),
    revokedAt: revokedAt === null ? null : iso(revokedAt),
  };
}
