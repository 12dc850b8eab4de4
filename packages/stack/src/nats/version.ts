import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { StackError } from '../stack-error.js';

const run = promisify(execFile);

/** The oldest nats-server that will do, because of `sync_interval` and consumers with several filters. */
export const oldestNatsVersion = '2.10.0';

/** Asks a nats-server program for its version, such as `2.15.1`; undefined when it is none. */
export async function natsServerVersion(program: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(program, ['--version'], { timeout: 10_000 });
    return /nats-server:? v?(\d+\.\d+\.\d+)/i.exec(`${stdout}${stderr}`)?.[1];
  } catch {
    return undefined;
  }
}

/** Whether a version such as `2.10.27` is recent enough. */
export function isRecentEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNatsVersion.split('.').map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/** The error for a server that is too old; `advice` is what to do, a whole sentence. */
export function tooOld(what: string, version: string, advice: string): StackError {
  return new StackError(
    'NATS_TOO_OLD',
    `${what} is nats-server ${version}, but Baton needs ${oldestNatsVersion} or later. ${advice}`,
  );
}
