import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { startTracked } from '../src/process/start-tracked.js';
import { takeRunRecord } from '../src/state/run-record.js';
import { temporaryDirectory } from './temporary-directory.js';

describe('the run record', () => {
  it('is written again after a write that failed', async () => {
    const parent = await temporaryDirectory();
    const directory = join(parent, 'state');
    await mkdir(directory);
    const runFile = join(directory, 'run.json');
    const record = await takeRunRecord(runFile, () => undefined);
    await rename(directory, join(parent, 'away'));
    await expect(record.announce(['first'])).rejects.toThrow('ENOENT');
    await rename(join(parent, 'away'), directory);
    await record.announce(['second']);
    expect(JSON.parse(await readFile(runFile, 'utf8'))).toMatchObject({ addresses: ['second'] });
    await record.release();
  });
});

describe('a process that cannot be recorded', () => {
  it('is stopped, and the reason told', async () => {
    const pids: number[] = [];
    const logFile = join(await temporaryDirectory(), 'log');
    const starting = startTracked(
      { name: 'sleep', command: 'sleep', arguments: ['60'], logFile },
      (child) => {
        pids.push(child.pid);
        return Promise.reject(new Error('the disk is full'));
      },
    );
    await expect(starting).rejects.toThrow('the disk is full');
    expect(() => process.kill(pids[0] ?? 0, 0)).toThrow('ESRCH');
  });
});
