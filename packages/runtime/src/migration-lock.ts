import { setTimeout as delay } from 'node:timers/promises';

const LOOK_AGAIN_MS = 250;

export type MigrationLockOptions = {
  /** The lock, one for each schema. */
  readonly name: string;
  /** Told once when there is something to wait for. */
  readonly tell: (text: string) => void;
  /** Ends the wait: it rejects then. */
  readonly signal: AbortSignal;
};

/**
 * Takes the advisory lock of a migration for the session of `query`, however long the replica that has it needs, and
 * says so. It asks again and again: a statement that waits could not be given up.
 */
export async function lockForMigration(
  query: (sql: string) => Promise<readonly { readonly locked: boolean }[]>,
  { name, tell, signal }: MigrationLockOptions,
): Promise<void> {
  const isLocked = async () =>
    (await query(`SELECT pg_try_advisory_lock(hashtext('${name}')) AS locked`))[0]?.locked;
  if (await isLocked()) return;
  tell('another replica migrates the schema; waiting for it');
  do await delay(LOOK_AGAIN_MS, undefined, { signal });
  while (!(await isLocked()));
}

/**
 * Throws, with the remedy, unless every migration of this build was applied. More is fine: a newer build has been here.
 * `find` reads which of these names the schema's own table has.
 */
export async function expectApplied(
  migrations: readonly { readonly name?: string }[],
  find: (names: readonly string[]) => Promise<readonly { readonly name: string }[]>,
  remedy: string,
): Promise<void> {
  const expected = migrations.map(({ name, constructor }) => name ?? constructor.name);
  const applied = new Set((await find(expected)).map(({ name }) => name));
  const missing = expected.filter((name) => !applied.has(name));
  if (missing.length > 0) throw new Error(`the schema lacks ${missing.join(', ')}; ${remedy}`);
}
