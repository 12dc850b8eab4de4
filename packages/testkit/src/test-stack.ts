import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { checkoutState, startStack, type Stack } from '@baton/stack';
import { ADMIN_KEY } from './admin-key.js';

/** A stack whose nats-server is its own. */
export type TestStack = Stack & { readonly nats: NonNullable<Stack['nats']> };

/**
 * Starts a whole stack (its own Postgres with the roles of the services, its own nats-server) in a
 * throwaway directory, which takes less than a second. For tests that run the built services:
 * `startServices({ stack, ports: 'free' })`. `stop()` removes the directory.
 */
export async function startTestStack(): Promise<TestStack> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-test-stack-'));
  await chmod(directory, 0o711);
  await writeFile(join(directory, 'admin-key'), ADMIN_KEY, { mode: 0o600 });
  // Servers of the developer's own must never be what a test writes to.
  const { DATABASE_URL: _database, DATABASE_URL_FILE: _file, NATS_URL: _nats, ...environment } = process.env;
  const stack = await startStack({
    directory,
    binaries: join(checkoutState, 'bin'),
    environment,
    durability: 'throwaway',
  });
  const { nats } = stack;
  if (nats === undefined) throw new Error('a stack of tests never uses another nats-server');
  return {
    ...stack,
    nats,
    stop: async () => {
      await stack.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
