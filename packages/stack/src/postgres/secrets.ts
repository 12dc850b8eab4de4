import { randomBytes } from 'node:crypto';

import { readJson, writeJson } from '../state/json-file.js';

/** The passwords of the embedded Postgres, made at its first start. */
export interface PostgresSecrets {
  /** Of the superuser `postgres`. */
  readonly superuser: string;
  /** Of `baton`, the owner of the database. */
  readonly owner: string;
  /** Of `baton_metrics`, which owns the schema `metrics` alone. */
  readonly metrics: string;
}

/** Reads the passwords; undefined before the first start. */
export function readSecrets(file: string): Promise<PostgresSecrets | undefined> {
  return readJson<PostgresSecrets>(file, ['superuser', 'owner', 'metrics']);
}

/** Makes new passwords and keeps them in a file only its owner may read. */
export async function createSecrets(file: string): Promise<PostgresSecrets> {
  const secrets = { superuser: password(), owner: password(), metrics: password() };
  await writeJson(file, secrets);
  return secrets;
}

function password(): string {
  return randomBytes(24).toString('base64url');
}
