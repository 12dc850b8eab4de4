import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Where everything the stack keeps on disk lies. */
export interface StateDirectory {
  readonly path: string;
  /** The nats-server binary; the same for every stack of a checkout. */
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
  };
}

/** Creates the directories, closed to other users as far as Postgres allows. */
export async function createStateDirectory(state: StateDirectory): Promise<void> {
  await mkdir(state.path, { recursive: true });
  // As root, Postgres runs as another user, who must be able to pass through (not to list) this one.
  await chmod(state.path, process.getuid?.() === 0 ? 0o711 : 0o700);
  await mkdir(state.logs, { recursive: true, mode: 0o700 });
  await mkdir(state.nats, { recursive: true, mode: 0o700 });
  await mkdir(state.binaries, { recursive: true, mode: 0o755 });
}
