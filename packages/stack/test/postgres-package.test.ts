import { lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { repairPackage } from '../src/postgres/binaries.js';
import { temporaryDirectory } from './temporary-directory.js';

/** A package as npm unpacks it when it runs no install scripts. */
async function unpackedPackage(): Promise<string> {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'native', 'lib'), { recursive: true });
  await mkdir(join(directory, 'native', 'bin'));
  await writeFile(join(directory, 'native', 'lib', 'libicu.so.60.2'), 'library');
  for (const program of ['initdb', 'pg_ctl', 'postgres']) {
    await writeFile(join(directory, 'native', 'bin', program), '', { mode: 0o644 });
  }
  const links = ['libicu.so', 'libicu.so.60'].map((name) => ({
    source: 'native/lib/libicu.so.60.2',
    target: `native/lib/${name}`,
  }));
  await writeFile(join(directory, 'native', 'pg-symlinks.json'), JSON.stringify(links));
  return directory;
}

describe('repairPackage', () => {
  it('creates missing links and replaces dangling ones', async () => {
    const directory = await unpackedPackage();
    await symlink('nowhere', join(directory, 'native', 'lib', 'libicu.so'));
    await repairPackage(directory);
    for (const name of ['libicu.so', 'libicu.so.60']) {
      expect(await readFile(join(directory, 'native', 'lib', name), 'utf8')).toBe('library');
    }
  });

  it('makes the programs executable for the user Postgres runs as', async () => {
    const directory = await unpackedPackage();
    await repairPackage(directory);
    expect((await stat(join(directory, 'native', 'bin', 'postgres'))).mode & 0o555).toBe(0o555);
  });

  it('leaves a whole package as it is, and may run twice at once', async () => {
    const directory = await unpackedPackage();
    await Promise.all([repairPackage(directory), repairPackage(directory)]);
    const before = await lstat(join(directory, 'native', 'lib', 'libicu.so'));
    await repairPackage(directory);
    expect((await lstat(join(directory, 'native', 'lib', 'libicu.so'))).ino).toBe(before.ino);
  });
});
