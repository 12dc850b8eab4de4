import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname, parse } from 'node:path';
import { promisify } from 'node:util';

import { StackError } from '../stack-error.js';

const run = promisify(execFile);

/** The system user Postgres runs as: Postgres refuses to run as root. */
export interface PostgresAccount {
  /** The owner of the data; undefined when that is simply the current user. */
  readonly user?: { readonly name: string; readonly uid: number; readonly gid: number };
  /** A program and its arguments to start Postgres through, when a change of user alone is not enough. */
  readonly launcher: readonly string[];
}

/** How to start one of the Postgres programs as the account. */
export interface Launch {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Finds the user to run Postgres as. `directory` holds the data, `program` is the Postgres program;
 * the user must be able to reach both.
 */
export async function findAccount(directory: string, program: string): Promise<PostgresAccount> {
  if (process.getuid?.() !== 0) return { launcher: [] };
  const user = await ordinaryUser(directory);
  const closed = await closedDirectories([directory, program], user);
  if (closed.length === 0) return { user, launcher: [] };
  const launcher = await launcherThroughClosedDirectories(user, program);
  if (launcher !== undefined) return { user, launcher };
  throw new StackError(
    'POSTGRES_START_FAILED',
    `Postgres does not run as root, so it runs as the user "${user.name}", who cannot pass through ` +
      `${closed.join(' and ')}. Allow that (chmod a+x ${closed.join(' ')}), move the checkout to a place ` +
      'that others may enter, run as an ordinary user, or set DATABASE_URL to a Postgres of your own.',
  );
}

/** The command line that runs `program` as the account. */
export function launchAs(account: PostgresAccount, program: string, flags: readonly string[]): Launch {
  const [command, ...before] = account.launcher;
  if (command !== undefined) return { command, arguments: [...before, program, ...flags] };
  const { user } = account;
  return { command: program, arguments: flags, ...(user && { uid: user.uid, gid: user.gid }) };
}

async function ordinaryUser(directory: string): Promise<NonNullable<PostgresAccount['user']>> {
  const owner = await stat(directory).then(
    (found) => found.uid,
    () => 0,
  );
  // The owner of existing data first: a user named postgres may have been created since.
  for (const name of owner === 0 ? ['postgres', 'nobody'] : [String(owner), 'postgres', 'nobody']) {
    const found = await lookUpUser(name);
    if (found !== undefined) return found;
  }
  throw new StackError(
    'POSTGRES_START_FAILED',
    'Postgres does not run as root, and this system has neither a user "postgres" nor "nobody" to run it as. ' +
      'Create one (useradd --system postgres), run as an ordinary user, or set DATABASE_URL to a Postgres of your own.',
  );
}

async function lookUpUser(name: string): Promise<PostgresAccount['user']> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

async function closedDirectories(
  paths: readonly string[],
  user: NonNullable<PostgresAccount['user']>,
): Promise<readonly string[]> {
  const closed = new Set<string>();
  for (const path of paths) {
    for (let parent = dirname(path); parent !== parse(parent).root; parent = dirname(parent)) {
      const found = await stat(parent).catch(() => undefined);
      if (found !== undefined && !mayEnter(found, user)) closed.add(parent);
    }
  }
  return [...closed];
}

function mayEnter(
  found: { readonly mode: number; readonly uid: number; readonly gid: number },
  user: { readonly uid: number; readonly gid: number },
): boolean {
  if (found.uid === user.uid) return (found.mode & 0o100) !== 0;
  if (found.gid === user.gid) return (found.mode & 0o010) !== 0;
  return (found.mode & 0o001) !== 0;
}

/**
 * On Linux an ordinary user may be given the right to pass through closed directories (a checkout in
 * root's home, the usual case in a container) and no other right of root.
 */
async function launcherThroughClosedDirectories(
  user: { readonly uid: number; readonly gid: number },
  program: string,
): Promise<readonly string[] | undefined> {
  if (process.platform !== 'linux') return undefined;
  // Containers often grant root only the second, wider one.
  for (const right of ['dac_read_search', 'dac_override']) {
    const launcher = [
      'setpriv',
      `--reuid=${user.uid}`,
      `--regid=${user.gid}`,
      '--clear-groups',
      // Without it access(2), by which initdb looks for its programs, ignores the right.
      '--securebits=+no_setuid_fixup',
      `--inh-caps=+${right}`,
      `--ambient-caps=+${right}`,
      '--',
    ];
    const [command = '', ...flags] = launcher;
    const works = await run(command, [...flags, 'test', '-x', program]).then(
      () => true,
      () => false,
    );
    if (works) return launcher;
  }
  return undefined;
}
