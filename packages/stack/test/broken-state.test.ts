import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { startStack } from '../src/index.js';
import { explainFileTrouble } from '../src/state/file-trouble.js';
import { resetState } from '../src/state/reset-state.js';
import { binaries, copyDirectory, plainEnvironment, temporaryDirectory } from './temporary-directory.js';

let pristine: string;
let directory: string;

const start = async (report: string[] = []) =>
  startStack({
    directory,
    binaries,
    environment: plainEnvironment(),
    durability: 'throwaway',
    report: (line) => report.push(line),
  });

/** What the start is refused with. */
async function refusal(): Promise<string> {
  const outcome = await start().catch((cause: Error) => cause);
  if ('stop' in outcome) {
    await outcome.stop();
    throw new Error('it should not have started');
  }
  expect(outcome.name).toBe('StackError');
  return outcome.message;
}

const inState = (...names: readonly string[]): string => join(directory, ...names);

// What a start leaves behind, made once.
beforeAll(async () => {
  pristine = directory = join(await temporaryDirectory(), '.baton');
  await (await start()).stop();
});

beforeEach(async () => {
  directory = join(await temporaryDirectory(), '.baton');
  copyDirectory(pristine, directory);
});

describe('a broken state directory', () => {
  it('names a file of ports that was cut off, and what to do', async () => {
    await truncate(inState('ports.json'), 10);
    expect(await refusal()).toBe(
      `${inState('ports.json')} should hold a JSON object, but does not: it was cut off or changed. ` +
        `Remove the file if no Baton runs there (rm '${inState('ports.json')}'); ` +
        '"npm run reset" removes all state and begins anew.',
    );
    await rm(inState('ports.json'));
    await (await start()).stop();
  });

  it('keeps the data whose passwords were cut off', async () => {
    await truncate(inState('secrets.json'), 0);
    expect(await refusal()).toMatch(
      /secrets\.json should hold .* Put back a copy of it, or give the data up/,
    );
    await writeFile(inState('secrets.json'), '{"superuser":"x"}');
    expect(await refusal()).toContain('a JSON object with superuser, owner, metrics');
    await rm(inState('secrets.json'));
    expect(await refusal()).toMatch(/holds a database, but its passwords are missing/);
    expect(await readFile(inState('postgres', 'data', 'PG_VERSION'), 'utf8')).toBe('18\n');
  });

  it('can be reset when the record of who runs was cut off', async () => {
    await writeFile(inState('run.json'), '{"owner":{"pid":');
    expect(await refusal()).toContain(`rm '${inState('run.json')}'`);
    await resetState({ directory, kept: [], report: () => undefined });
    expect(await readdir(directory)).toEqual([]);
  });

  it('is not reset under a Postgres that runs, when the record of who runs was cut off', async () => {
    const stack = await start();
    await writeFile(inState('run.json'), '');
    const reset = resetState({ directory, kept: [], report: () => undefined });
    await expect(reset).rejects.toThrow(/run\.json is damaged, and a Postgres \(process \d+\) runs/);
    await stack.stop();
  });

  it('says that the data is of another Postgres, and keeps it', async () => {
    await writeFile(inState('postgres', 'data', 'PG_VERSION'), '16\n');
    const message = await refusal();
    expect(message).toMatch(
      /initialized by PostgreSQL version 16, which is not compatible with this version 18/,
    );
    expect(message).toMatch(/Go back to the version of Baton that made it; "npm run reset" removes it/);
    expect(await readFile(inState('postgres', 'data', 'PG_VERSION'), 'utf8')).toBe('16\n');
  });

  it('starts although pid files were left empty', async () => {
    await writeFile(inState('postgres', 'data', 'postmaster.pid'), '');
    const stack = await start();
    expect(stack.describe()[0]).toContain('embedded, pid');
    await stack.stop();
  });

  it('names what is in the way', async () => {
    await rm(inState('nats'), { recursive: true });
    await writeFile(inState('nats'), 'not a folder');
    expect(await refusal()).toMatch(/nats: something else lies where .* \(EEXIST\)\. Move it away/);
    await rm(directory, { recursive: true });
    await writeFile(directory, 'not a folder');
    expect(await refusal()).toMatch(/something else lies where .* \(ENOTDIR\)\. Move it away/);
  });

  it('says that the disk is full', async () => {
    // Linux answers every write to this device as a full disk does.
    if (process.platform !== 'linux') return;
    await rm(inState('nats', 'nats-server.conf'));
    await symlink('/dev/full', inState('nats', 'nats-server.conf'));
    expect(await refusal()).toMatch(
      /: the disk is full \(ENOSPC\)\. Free some space, or set BATON_DIRECTORY/,
    );
  });

  it('says whose a file must be', () => {
    const refused = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', path: '/s/x' });
    expect(explainFileTrouble(refused, '/s')).toMatchObject({
      code: 'STATE_UNUSABLE',
      message: expect.stringMatching(/^\/s\/x: this user may not use it \(EACCES\)\. Make it yours again/),
    });
  });
});

describe('a folder of other things, named by mistake', () => {
  it('is refused as it is, and nothing of it is reset', async () => {
    directory = await temporaryDirectory();
    await mkdir(inState('bin'));
    await writeFile(inState('thesis.txt'), 'years of work');
    expect(await refusal()).toMatch(
      /holds other things \(bin, thesis\.txt\).* Set BATON_DIRECTORY to a folder of its own/,
    );
    await resetState({ directory, kept: ['bin'], report: () => undefined });
    expect(await readdir(directory)).toEqual(['bin', 'thesis.txt']);
  });
});
