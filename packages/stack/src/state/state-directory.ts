import { access, chmod, constants, mkdir, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { checkoutState } from '../checkout.js';
import { StackError } from '../stack-error.js';

/** Where everything the stack keeps on disk lies. */
export interface StateDirectory {
  readonly path: string;
  readonly binaries: string;
  readonly logs: string;
  readonly postgres: string;
  readonly nats: string;
  /** Who runs and which processes belong to it; also the lock. */
  readonly runFile: string;
  /** The ports of the last start, taken again when free. */
  readonly portsFile: string;
  /** The passwords of the embedded Postgres. */
  readonly secretsFile: string;
  /** The first API key, and nothing else: what `BATON_ADMIN_KEY_FILE` names. */
  readonly adminKeyFile: string;
}

/** Names the places inside a state directory, without touching the disk. */
export function stateDirectory(path = '.baton'): StateDirectory {
  const root = resolve(path);
  return {
    path: root,
    binaries: join(root, 'bin'),
    logs: join(root, 'logs'),
    postgres: join(root, 'postgres'),
    nats: join(root, 'nats'),
    runFile: join(root, 'run.json'),
    portsFile: join(root, 'ports.json'),
    secretsFile: join(root, 'secrets.json'),
    adminKeyFile: join(root, 'admin-key'),
  };
}

/** Creates the directories, closed to other users as far as Postgres allows. */
export async function createStateDirectory(state: StateDirectory): Promise<void> {
  await refuseForeign(state);
  await mkdir(state.path, { recursive: true });
  // As root, Postgres runs as another user, who must be able to pass through (not to list) this one.
  await chmod(state.path, process.getuid?.() === 0 ? 0o711 : 0o700);
  await mkdir(state.logs, { recursive: true, mode: 0o700 });
  await mkdir(state.nats, { recursive: true, mode: 0o700 });
}

const sureNames = new Set(['run.json', 'ports.json', 'secrets.json', 'admin-key', 'bootstrap.lock']);

/** Whether Baton gives this name to something in a state directory. */
export function isOwnName(name: string): boolean {
  return /^(bin|logs|nats|postgres|reports|bench-\w+|(run|ports|secrets)\.json.*|admin-key|bootstrap\.lock.*)$/.test(
    name,
  );
}

/** Where a nats-server that was fetched is kept: with the checkout, unless there is none and none can be put there. */
export async function programsDirectory(state: StateDirectory): Promise<string> {
  const shared = join(checkoutState, basename(state.binaries));
  if ((await readdir(shared).catch(() => [])).length > 0) return shared;
  for (const place of [shared, checkoutState, dirname(checkoutState)]) {
    const problem = await access(place, constants.W_OK).then(
      () => undefined,
      (cause: NodeJS.ErrnoException) => cause.code,
    );
    if (problem === undefined) return shared;
    if (problem !== 'ENOENT') break;
  }
  return state.binaries;
}

/** A folder that is full of other things was named by mistake: its rights must not be changed, nor its files reset. */
async function refuseForeign(state: StateDirectory): Promise<void> {
  const names = await readdir(state.path).catch((cause: NodeJS.ErrnoException): string[] => {
    if (cause.code === 'ENOENT') return [];
    throw cause;
  });
  if (names.every(isOwnName) || names.some((name) => sureNames.has(name))) return;
  throw new StackError(
    'DIRECTORY_REFUSED',
    `${state.path} holds other things (${names.slice(0, 3).join(', ')}), not the state of Baton. ` +
      'Set BATON_DIRECTORY to a folder of its own; it is created when it is missing.',
  );
}
