import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { StackError } from '../stack-error.js';

const run = promisify(execFile);

/** The oldest nats-server that will do, because of `sync_interval` and consumers with several filters. */
export const oldestNatsVersion = '2.10.0';

/** What a program answered when it was asked for its version: that, such as `2.15.1`, or why it is no nats-server. */
export type VersionAnswer = { readonly version: string } | { readonly problem: string };

/** Asks a nats-server program for its version. */
export async function askVersion(program: string): Promise<VersionAnswer> {
  try {
    const { stdout, stderr } = await run(program, ['--version'], { timeout: 10_000 });
    const version = /nats-server:? v?(\d+\.\d+\.\d+)/i.exec(`${stdout}${stderr}`)?.[1];
    return version === undefined
      ? { problem: '"--version" answers otherwise than nats-server' }
      : { version };
  } catch (cause) {
    return { problem: problemOf(cause as NodeJS.ErrnoException & { readonly signal?: string }) };
  }
}

function problemOf({ code, signal, message }: NodeJS.ErrnoException & { readonly signal?: string }): string {
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'it may not be executed (a folder, or chmod +x is missing)';
  if (code === 'ENOEXEC') return 'it is no program for this machine, or only a part of one';
  if (typeof signal === 'string') return `it was ended by ${signal}, so it may be only a part of a program`;
  return message.split('\n')[0] ?? '';
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
