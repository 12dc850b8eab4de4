import type { Actor, Role } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';

/** A key as it is kept; times in milliseconds. */
export type KeyRow = {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly agentId: string | null;
  readonly hint: string;
  readonly createdBy: Actor;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
};

const COLUMNS = `id, name, role, agent_id AS "agentId", hint, created_by AS "createdBy", created_at AS "createdAt",
  expires_at AS "expiresAt", last_used_at AS "lastUsedAt", revoked_at AS "revokedAt"`;

export type NewKeyRow = Pick<KeyRow, 'id' | 'name' | 'role' | 'agentId' | 'hint' | 'createdBy'> & {
  readonly hash: Buffer;
  readonly expiresAt: string | null;
};

/** Undefined where the name was given before. */
export async function insertKey(db: Queryable, key: NewKeyRow): Promise<KeyRow | undefined> {
  const { rows } = await db.query<KeyRow>(
    `INSERT INTO api_keys (id, name, role, agent_id, hint, created_by, hash, expires_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING RETURNING ${COLUMNS}`,
    [key.id, key.name, key.role, key.agentId, key.hint, key.createdBy, key.hash, key.expiresAt],
  );
  return rows[0];
}

export async function listKeys(db: Queryable, after: string, limit: number): Promise<readonly KeyRow[]> {
  const text = `SELECT ${COLUMNS} FROM api_keys WHERE name > $1 ORDER BY name LIMIT $2`;
  return (await db.query<KeyRow>(text, [after, limit])).rows;
}

export type ValidKey = Pick<KeyRow, 'id' | 'name' | 'role' | 'agentId'> & { readonly hash: Buffer };

/** The key of a hash, where it is neither revoked nor expired by the database's clock. */
export async function findValidKey(db: Queryable, hash: Buffer): Promise<ValidKey | undefined> {
  const { rows } = await db.query<ValidKey>({
    name: 'find-valid-key',
    text: `SELECT id, name, role, agent_id AS "agentId", hash FROM api_keys WHERE hash = $1
      AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())`,
    values: [hash],
  });
  return rows[0];
}

/** Its name; undefined where there is no such key. A key that is revoked stays as it was. */
export async function revokeKey(db: Queryable, id: string): Promise<string | undefined> {
  const { rows } = await db.query<{ name: string }>(
    `UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE id = $1 RETURNING name`,
    [id],
  );
  return rows[0]?.name;
}

export async function touchKeys(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    name: 'touch-keys',
    text: `UPDATE api_keys SET last_used_at = clock_timestamp() WHERE id = ANY($1::uuid[])`,
    values: [pgArray(ids)],
  });
}
