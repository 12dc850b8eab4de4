import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll } from '@jest/globals';

import { checkoutState } from '../src/index.js';

/** The nats-server that the checkout has fetched already. */
export const binaries = join(checkoutState, 'bin');

/** The environment without settings that would lead a test to servers of the developer's own. */
export function plainEnvironment(changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { DATABASE_URL: _database, DATABASE_URL_FILE: _file, NATS_URL: _nats, ...environment } = process.env;
  return { ...environment, ...changes };
}

/** A directory that is removed after the tests of the file. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-stack-test-'));
  await chmod(directory, 0o711);
  directories.push(directory);
  return directory;
}

/** Copies a state directory with the owners of its files, which only cp keeps. */
export function copyDirectory(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

const directories: string[] = [];

afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
});
