import type { Actor } from '@baton/contracts';
import type { Client, Queryable } from '../database/database.js';
import { deleteInChunks, idOfDaysAgo } from '../database/forget.js';
import type { Grant } from './enrolment.policy.js';

/** A token as it is kept; times in milliseconds. */
export type TokenRow = Grant & {
  readonly id: string;
  readonly agentId: string | null;
  readonly hint: string;
  readonly createdBy: Actor;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usedBy: string | null;
  readonly usedAt: number | null;
  readonly revokedAt: number | null;
};

const TOKEN = `id, agent_id AS "agentId", hint, capabilities, max_concurrent AS "maxConcurrent", created_by AS "createdBy",
  created_at AS "createdAt", expires_at AS "expiresAt", used_by AS "usedBy", used_at AS "usedAt", revoked_at AS "revokedAt"`;

export type NewToken = Pick<TokenRow, 'id' | 'agentId' | 'hint' | 'createdBy'> &
  Grant & { readonly hash: Buffer; readonly seconds: number };

export async function insertToken(db: Queryable, token: NewToken): Promise<TokenRow> {
  const { rows } = await db.query<TokenRow>(
    `INSERT INTO enrolment_tokens (id, agent_id, hint, capabilities, max_concurrent, created_by, hash, expires_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + $8 * interval '1 second') RETURNING ${TOKEN}`,
    [
      token.id,
      token.agentId,
      token.hint,
      json(token.capabilities),
      token.maxConcurrent,
      token.createdBy,
      token.hash,
      token.seconds,
    ],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a token is not there after it was written');
  return row;
}

/** Before an id, the newest first. */
export async function listTokens(
  db: Queryable,
  before: string | null,
  limit: number,
): Promise<readonly TokenRow[]> {
  const text = `SELECT ${TOKEN} FROM enrolment_tokens WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`;
  return (await db.query<TokenRow>(text, [before, limit])).rows;
}

/** Whether there is such a token; one that is revoked stays as it was. */
export async function revokeToken(db: Queryable, id: string): Promise<boolean> {
  const text = `UPDATE enrolment_tokens SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE id = $1`;
  return (await db.query(text, [id])).rowCount === 1;
}

export type ShownToken = TokenRow & { readonly usedKey: string | null; readonly isExpired: boolean };

/** The token of a hash, locked: of two that show it at once the second sees what came of the first. */
export async function lockToken(db: Client, hash: Buffer): Promise<ShownToken | undefined> {
  const { rows } = await db.query<ShownToken>(
    `SELECT ${TOKEN}, used_key AS "usedKey", expires_at <= clock_timestamp() AS "isExpired"
      FROM enrolment_tokens WHERE hash = $1 FOR UPDATE`,
    [hash],
  );
  return rows[0];
}

export async function useToken(db: Client, id: string, agentId: string, publicKey: string): Promise<void> {
  await db.query(
    `UPDATE enrolment_tokens SET used_by = $2, used_key = $3, used_at = clock_timestamp() WHERE id = $1`,
    [id, agentId, publicKey],
  );
}

/** What an agent is granted from now on, in place of what it was; null for nothing that was said. */
export async function saveGrant(
  db: Client,
  agentId: string,
  { capabilities, maxConcurrent }: Grant,
): Promise<void> {
  await db.query(
    `INSERT INTO agent_enrolments (agent_id, capabilities, max_concurrent) VALUES ($1, $2, $3)
      ON CONFLICT (agent_id) DO UPDATE SET capabilities = excluded.capabilities, max_concurrent = excluded.max_concurrent`,
    [agentId, json(capabilities), maxConcurrent],
  );
}

export async function findGrant(db: Queryable, agentId: string): Promise<Grant | undefined> {
  const { rows } = await db.query<Grant>({
    name: 'find-grant',
    text: `SELECT capabilities, max_concurrent AS "maxConcurrent" FROM agent_enrolments WHERE agent_id = $1`,
    values: [agentId],
  });
  return rows[0];
}

export type NewCredentials = {
  readonly publicKey: string;
  readonly agentId: string;
  readonly issuedBy: Actor;
  readonly seconds: number;
};

/** When the key's credentials expire, in milliseconds; undefined where it is another agent's, or was revoked. */
export async function saveCredentials(db: Client, made: NewCredentials): Promise<number | undefined> {
  const { rows } = await db.query<{ expiresAt: number }>(
    `INSERT INTO agent_credentials AS c (user_key, agent_id, issued_by, expires_at)
      VALUES ($1, $2, $3, date_trunc('second', clock_timestamp() + $4 * interval '1 second'))
      ON CONFLICT (user_key) DO UPDATE SET expires_at = greatest(c.expires_at, excluded.expires_at),
        issued_at = excluded.issued_at, issued_by = excluded.issued_by
      WHERE c.agent_id = excluded.agent_id AND c.revoked_at IS NULL
      RETURNING expires_at AS "expiresAt"`,
    [made.publicKey, made.agentId, made.issuedBy, made.seconds],
  );
  return rows[0]?.expiresAt;
}

/** Forgets keys whose credentials have expired: no server takes them any more. */
export function forgetExpiredCredentials(db: Queryable, signal: AbortSignal): Promise<number> {
  const text = `DELETE FROM agent_credentials WHERE user_key IN (SELECT user_key FROM agent_credentials
      WHERE expires_at < (SELECT clock_timestamp() - interval '1 hour') ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`;
  return deleteInChunks(db, { text }, signal);
}

/** Forgets tokens that were made 90 days ago and cannot be used any more: what became of them is in the audit as long. */
export function forgetOldTokens(db: Queryable, signal: AbortSignal): Promise<number> {
  const text = `DELETE FROM enrolment_tokens WHERE id IN (SELECT id FROM enrolment_tokens
      WHERE id < ${idOfDaysAgo(90)} ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)`;
  return deleteInChunks(db, { text }, signal);
}

function json(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
