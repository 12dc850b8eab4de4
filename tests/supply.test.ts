import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const sound = { version: '1.0.0', license: 'MIT', integrity: 'sha512-abc' };
let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'baton-supply-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** `npm run supply` in a checkout that wants one package, and has it locked so. */
async function supply(wanted: string, locked: object, lockedVersion = wanted): Promise<[number, string]> {
  const manifest = { dependencies: { left: wanted }, allowScripts: {} };
  const packages = { '': { dependencies: { left: lockedVersion } }, 'node_modules/left': locked };
  await writeFile(join(directory, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(directory, 'package-lock.json'), JSON.stringify({ packages }));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(checkout, 'scripts/supply.mjs')],
      { cwd: directory },
      (error, stdout, stderr) => resolve([error === null ? 0 : 1, stdout + stderr]),
    );
  });
}

describe('npm run supply', () => {
  it('takes what is exact, whole and of a licence that may be', async () => {
    expect(await supply('1.0.0', sound)).toEqual([0, expect.stringContaining('1 packages')]);
  });

  it.each([
    ['a range', '^1.0.0', sound, '^1.0.0', 'is no exact version'],
    ['a lockfile of another manifest', '1.0.0', sound, '2.0.0', 'but 2.0.0 in the lockfile'],
    ['a licence nobody allowed', '1.0.0', { ...sound, license: 'AGPL-3.0' }, '1.0.0', 'licence AGPL-3.0'],
    ['no licence', '1.0.0', { ...sound, license: undefined }, '1.0.0', 'licence none'],
    ['no hash', '1.0.0', { ...sound, integrity: undefined }, '1.0.0', 'no SHA-512'],
    ['a script at install', '1.0.0', { ...sound, hasInstallScript: true }, '1.0.0', 'runs a script'],
  ])('refuses %s', async (_, wanted, locked, lockedVersion, problem) => {
    expect(await supply(wanted, locked, lockedVersion)).toEqual([1, expect.stringContaining(problem)]);
  });
});

describe('the documents of security', () => {
  it.each(['docs/threat-model.md', 'docs/security-tests.md'])('%s names tests that are there', (document) => {
    const text = readFileSync(join(checkout, document), 'utf8');
    const named = [...text.matchAll(/`([\w/.-]+\.test\.ts)`/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !existsSync(join(checkout, path)))).toEqual([]);
  });

  it('list at least a hundred attacks and bad inputs', () => {
    const text = readFileSync(join(checkout, 'docs/security-tests.md'), 'utf8');
    expect(text.match(/^\| \d+ +\|/gm)?.length).toBeGreaterThanOrEqual(100);
  });
});
