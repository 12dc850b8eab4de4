import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';

import { startStack } from '../src/index.js';
import { binaries, plainEnvironment, temporaryDirectory } from './temporary-directory.js';

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** Starts a stack in a process of its own and waits until it runs. */
async function startProgram(
  directory: string,
): Promise<{ readonly child: ChildProcess; readonly output: () => string }> {
  const child = spawn(process.execPath, [fixture('run-stack.mjs'), directory, binaries], {
    env: plainEnvironment(),
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  await until(() => output.includes('running postgresql://'), { describe: () => output });
  return { child, output: () => output };
}

/** The process ids of the servers that a start has recorded. */
async function recordedServers(directory: string): Promise<readonly number[]> {
  const text = await readFile(join(directory, 'run.json'), 'utf8');
  return (JSON.parse(text) as { children: readonly { pid: number }[] }).children.map((child) => child.pid);
}

function isRunning(pid: number): boolean {
  try {
    const state = execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' });
    return !state.trim().startsWith('Z');
  } catch {
    return false;
  }
}

/** The shell that watches over the children of a process. */
function guardOf(parent: ChildProcess): number {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' }).split('\n');
  const rows = lines.map((line) => line.trim().split(/\s+/));
  return Number(rows.find(([, ppid, name]) => ppid === String(parent.pid) && name?.endsWith('sh'))?.[0]);
}

describe('a start that is killed with SIGKILL', () => {
  it('takes its servers with it', async () => {
    const directory = await temporaryDirectory();
    const { child } = await startProgram(directory);
    const servers = await recordedServers(directory);
    expect(servers.filter(isRunning)).toHaveLength(2);
    child.kill('SIGKILL');
    await until(() => servers.filter(isRunning).length === 0);
  });

  it('takes a child with it that does not end when asked to, after its time', async () => {
    const log = join(await temporaryDirectory(), 'log');
    const child = spawn(process.execPath, [fixture('start-stubborn.mjs'), log]);
    const [pid] = (await once(child.stdout, 'data')) as [Buffer];
    expect(isRunning(Number(pid))).toBe(true);
    child.kill('SIGKILL');
    await until(() => !isRunning(Number(pid)));
  });

  it('leaves nothing that the next start does not stop', async () => {
    const directory = await temporaryDirectory();
    const { child } = await startProgram(directory);
    const servers = await recordedServers(directory);
    process.kill(guardOf(child), 'SIGKILL');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(servers.filter(isRunning)).toHaveLength(2);

    const report: string[] = [];
    const environment = plainEnvironment();
    const options = { directory, binaries, environment, durability: 'throwaway' as const };
    const stack = await startStack({ ...options, report: (line) => report.push(line) });
    expect(servers.filter(isRunning)).toEqual([]);
    expect(report.filter((line) => line.includes('left behind by a start that was killed'))).toHaveLength(2);
    await stack.stop();
  });
});

describe('a start that is interrupted', () => {
  it('takes the same Ctrl-C once when it comes twice, stops everything and exits with 0', async () => {
    const directory = await temporaryDirectory();
    const { child, output } = await startProgram(directory);
    const servers = await recordedServers(directory);
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(output()).toContain('stopped');
    expect(servers.filter(isRunning)).toEqual([]);
  });

  it('ends at once at a second Ctrl-C, when stopping takes too long', async () => {
    const child = spawn(process.execPath, [fixture('hang-on-stop.mjs')]);
    await once(child.stdout, 'data');
    const ended = once(child, 'exit');
    await until(() => !child.kill('SIGINT'), { intervalMs: 100, describe: 'it ends' });
    expect(await ended).toEqual([130, null]);
  });
});
