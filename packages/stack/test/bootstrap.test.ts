import { spawn } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { beforeEach, describe, expect, it } from '@jest/globals';

import { checkoutDirectory } from '../src/index.js';
import { temporaryDirectory } from './temporary-directory.js';

// Stands for npm: notes that it was called, takes its time and "installs" a compiler.
const fakeNpm = `
import fs from 'node:fs';
fs.appendFileSync('calls.txt', 'npm ' + process.argv.slice(2).join(' ') + '\\n');
console.log('added 3 packages');
if (process.env.NPM_FAILS) process.exit(7);
await new Promise((resolve) => setTimeout(resolve, 300));
fs.rmSync('node_modules', { recursive: true, force: true });
fs.mkdirSync('node_modules/typescript/bin', { recursive: true });
fs.writeFileSync('node_modules/.package-lock.json', '{}');
fs.utimesSync('node_modules/.package-lock.json', 0, 0);
fs.writeFileSync('node_modules/typescript/bin/tsc', "require('fs').appendFileSync('calls.txt', 'tsc\\\\n'); console.log('built');");
`;

const script = `
console.log(JSON.stringify(process.argv.slice(2)));
process.exitCode = Number(process.env.EXIT_WITH ?? 0);
`;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('scripts/bootstrap.mjs', () => {
  let checkout: string;

  beforeEach(async () => {
    checkout = await temporaryDirectory();
    await mkdir(join(checkout, 'scripts'));
    await copyFile(
      join(checkoutDirectory, 'scripts', 'bootstrap.mjs'),
      join(checkout, 'scripts', 'bootstrap.mjs'),
    );
    await writeFile(join(checkout, 'package-lock.json'), '{"version":1}');
    await writeFile(join(checkout, 'npm-cli.js'), fakeNpm);
    await writeFile(join(checkout, 'package.json'), '{"type":"module"}');
    await writeFile(join(checkout, 'script.js'), script);
  });

  const run = (
    rest: readonly string[] = ['script.js'],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<Outcome> => {
    const child = spawn(process.execPath, [join(checkout, 'scripts', 'bootstrap.mjs'), ...rest], {
      env: { ...process.env, npm_execpath: join(checkout, 'npm-cli.js'), ...environment },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
  };

  const calls = async (): Promise<readonly string[]> =>
    (await readFile(join(checkout, 'calls.txt'), 'utf8')).trim().split('\n');

  it('installs and builds first, and leaves standard output to the script', async () => {
    const outcome = await run(['script.js', '--once', '--json']);
    expect(outcome).toMatchObject({ code: 0, stdout: '["--once","--json"]\n' });
    expect(outcome.stderr).toContain('added 3 packages');
    expect(await calls()).toEqual([expect.stringMatching(/^npm ci --include=dev --include=optional/), 'tsc']);
  });

  it('installs again only when the lock file has changed', async () => {
    await run();
    await run();
    expect(await calls()).toEqual([expect.stringMatching(/^npm ci/), 'tsc', 'tsc']);
    await writeFile(join(checkout, 'package-lock.json'), '{"version":2}');
    await run();
    expect(await calls()).toHaveLength(5);
  });

  it('trusts an installation by hand that is newer than the lock file', async () => {
    await run();
    await writeFile(join(checkout, 'package-lock.json'), '{"version":2}');
    const later = new Date(Date.now() + 60_000);
    await utimes(join(checkout, 'node_modules', '.package-lock.json'), later, later);
    await run();
    expect(await calls()).toEqual([expect.stringMatching(/^npm ci/), 'tsc', 'tsc']);
  });

  it('lets one install while others that start at the same time wait', async () => {
    const outcomes = await Promise.all([run(), run(), run()]);
    expect(outcomes.map((outcome) => outcome.code)).toEqual([0, 0, 0]);
    expect((await calls()).filter((call) => call.startsWith('npm'))).toHaveLength(1);
    expect(outcomes.some((outcome) => outcome.stderr.includes('Waiting for another start'))).toBe(true);
  });

  it('goes on when whoever held the lock was killed', async () => {
    await mkdir(join(checkout, '.baton'));
    await writeFile(join(checkout, '.baton', 'bootstrap.lock'), '2147483646');
    expect((await run()).code).toBe(0);
  });

  it('says what to do when the installation fails', async () => {
    const outcome = await run(['script.js'], { NPM_FAILS: '1' });
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toMatch(/npm ci failed with exit code 7 .* check the network/);
  });

  it('tells an old Node which one is needed, before anything else', async () => {
    const preload = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'18.20.8'})`;
    const outcome = await run(['script.js'], { NODE_OPTIONS: `--import=${preload}` });
    expect(outcome).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'baton: Baton needs Node 20.19 or later, but this is Node 18.20.8. Install a newer one ' +
        '(https://nodejs.org, or "nvm install 22") and run the same command again.\n',
    });
  });

  it('is written in what Node 12 can read', async () => {
    const text = await readFile(join(checkoutDirectory, 'scripts', 'bootstrap.mjs'), 'utf8');
    // Tried with Node 12.22, 14.21 and 18.20; this list is of what came later and is easily written by habit.
    const later =
      /\?\.[\w[(]|\?\?|\|\|=|&&=|'node:|^await |\.at\(|replaceAll|Object\.hasOwn|\d_\d|#\w+ ?[=(;]/m;
    expect(later.exec(text)?.[0]).toBeUndefined();
  });

  it('runs what was built from a checkout that cannot be written, and says so where nothing was', async () => {
    await writeFile(join(checkout, '.baton'), 'a file, so that nobody can write below it, not even root');
    const refused = await run();
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/Installing and building write into .*\(E\w+: .*\)\. Make it writable/);
    await rm(join(checkout, '.baton'));
    await run();
    await rm(join(checkout, '.baton'), { recursive: true });
    await writeFile(join(checkout, '.baton'), 'again');
    expect(await run(['script.js', 'x'])).toEqual({ code: 0, stdout: '["x"]\n', stderr: '' });
  });

  it('passes the exit code of the script on', async () => {
    expect((await run(['script.js'], { EXIT_WITH: '5' })).code).toBe(5);
  });
});
