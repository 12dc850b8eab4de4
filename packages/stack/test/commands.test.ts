import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { createTestDatabase } from '@baton/testkit';
import { describe, expect, it } from '@jest/globals';

import { checkoutDirectory, checkoutState, chosenState, findFreePort } from '../src/index.js';
import { plainEnvironment, temporaryDirectory } from './temporary-directory.js';

const run = promisify(execFile);

/** Runs a command of the stack as npm does, without its installation and build. */
async function command(name: string, words: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const program = join(checkoutDirectory, 'packages', 'stack', 'dist', 'cli', `${name}.js`);
  const env = plainEnvironment({ BATON_DIRECTORY: await temporaryDirectory(), ...environment });
  const ended = run(process.execPath, [program, ...words], { env, timeout: 15_000 });
  const { stdout, stderr } = await ended.catch((error: { stdout: string; stderr: string }) => error);
  return { code: ended.child.exitCode, stdout, stderr };
}

describe('the commands', () => {
  it.each([
    ['start', '"npm start" takes nothing, but got "--port 80".'],
    ['migrate', '"npm run migrate" takes nothing, but got "--port 80".'],
    ['audit-verify', '"npm run audit:verify" takes nothing or "-- --json", but got "--port 80".'],
    ['reset', '"npm run reset" takes nothing or "-- --all", but got "--port 80".'],
  ])('%s refuses words it does not know', async (name, message) => {
    expect(await command(name, ['--port', '80'])).toEqual({ code: 2, stdout: '', stderr: `${message}\n` });
  });

  it('migrate says that DATABASE_URL is missing', async () => {
    const { code, stderr } = await command('migrate', []);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^DATABASE_URL is not set, .* Set it to postgresql:.*\n$/);
  });

  it('audit-verify says that there has been no start yet', async () => {
    const { code, stderr } = await command('audit-verify', []);
    expect(code).toBe(1);
    expect(stderr).toMatch(/holds no database yet: run "npm start" first, or set DATABASE_URL/);
  });

  it.each([[[]], [['hello', 'two.words']]])('credentials wants ids, not %j', async (words) => {
    const { code, stdout, stderr } = await command('credentials', words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^"npm run credentials" takes "-- <agent id> …"/);
  });

  it('credentials says that there has been no start yet, and makes no keys', async () => {
    const BATON_DIRECTORY = await temporaryDirectory();
    const { code, stdout, stderr } = await command('credentials', ['hello'], { BATON_DIRECTORY });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      `There is no nats-server of Baton in ${BATON_DIRECTORY}/nats yet. Start it once with "npm start".\n`,
    );
    expect(await readdir(BATON_DIRECTORY)).toEqual([]);
  });

  it.each(['migrate', 'audit-verify', 'start'])(
    '%s says where nothing listens, without a stack or a password',
    async (name) => {
      const DATABASE_URL = `postgresql://me:secret@127.0.0.1:${await findFreePort()}/baton`;
      const { code, stderr } = await command(name, [], { DATABASE_URL });
      expect(code).toBe(1);
      expect(stderr).toContain('Nothing listens there: start that Postgres');
      expect(stderr).not.toMatch(/secret|\n\s+at /);
    },
  );

  it('start says that the clock of this machine is not that of Postgres', async () => {
    const database = await createTestDatabase();
    const clock = pathToFileURL(join(checkoutDirectory, 'tests', 'fixtures', 'shifted-clock.mjs')).href;
    const { stderr } = await command('start', [], {
      DATABASE_URL: database.url,
      NATS_URL: `nats://127.0.0.1:${await findFreePort()}`,
      NODE_OPTIONS: `--import=${clock}`,
      CLOCKS: JSON.stringify({ 'start.js': -3_600_000 }),
    });
    expect(stderr).toMatch(/The clock of this machine is 3600 s behind that of Postgres.* NTP/);
    expect(stderr).toMatch(/NATS_URL is set, but none of its servers answers .*ECONNREFUSED/);
    await database.close();
  });

  it('reset empties the directory that BATON_DIRECTORY names, whatever letters it has', async () => {
    const state = join(await temporaryDirectory(), 'mein Zustand é');
    await mkdir(join(state, 'logs'), { recursive: true });
    const { stdout } = await command('reset', [], { BATON_DIRECTORY: state });
    expect(stdout).toContain(`Removed from ${state}: logs.`);
  });
});

describe('BATON_DIRECTORY', () => {
  it('is meant from where the user is; without it the state is kept in the checkout', () => {
    expect(chosenState({ BATON_DIRECTORY: 'here', INIT_CWD: '/home/ada' })).toBe('/home/ada/here');
    expect(chosenState({ BATON_DIRECTORY: '/there', INIT_CWD: '/home/ada' })).toBe('/there');
    expect(chosenState({ BATON_DIRECTORY: '' })).toBe(checkoutState);
  });
});
