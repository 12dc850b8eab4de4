import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';

const runtime = new URL('../dist/index.js', import.meta.url).href;
const children: ChildProcessByStdio<null, Readable, Readable>[] = [];

/** Runs a script with what the runtime exports in its scope, in a process of its own. */
function run(script: string) {
  const source = `import * as runtime from ${JSON.stringify(runtime)};
    const { createLogger, readConfig, runMain, runUntilSignal } = runtime; ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  children.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return {
    child,
    exit: once(child, 'close').then(([status]) => status as number),
    stdout: () => stdout,
    stderr: () => stderr,
    messages: () => [...stdout.matchAll(/"msg":"([^"]*)"/g)].map(([, message]) => message),
  };
}

const logger = `const logger = createLogger('tested'); setInterval(() => {}, 1000);`;

afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});

describe('runUntilSignal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops once on %s and exits with 0', async (signal) => {
    const { child, exit, messages } = run(`${logger}
      runUntilSignal(async () => { logger.info('cleaned up'); }, { logger }); logger.info('running');`);
    await until(() => messages().includes('running'));
    child.kill(signal);
    expect(await exit).toBe(0);
    expect(messages()).toEqual(['running', 'stopping', 'cleaned up', 'stopped']);
  });

  it.each([
    ['fails', `async () => { throw new Error('stuck'); }`, 'the shutdown failed'],
    ['overruns its deadline', '() => new Promise(() => {})', 'the shutdown overran its deadline: exiting'],
  ])('exits with 1 when the stop %s', async (_what, stop, message) => {
    const { child, exit, messages } = run(`${logger}
      runUntilSignal(${stop}, { logger, deadlineMs: 50 }); logger.info('running');`);
    await until(() => messages().includes('running'));
    child.kill('SIGTERM');
    expect(await exit).toBe(1);
    expect(messages().at(-1)).toBe(message);
  });

  it('exits at once on a second signal', async () => {
    const { child, exit, messages } = run(`${logger}
      runUntilSignal(() => new Promise(() => {}), { logger }); logger.info('running');`);
    await until(() => messages().includes('running'));
    child.kill('SIGTERM');
    await until(() => messages().includes('stopping'));
    child.kill('SIGINT');
    expect(await exit).toBe(1);
  });
});

describe('runMain', () => {
  it('tells a bad configuration on stderr, without a stack', async () => {
    const { exit, stderr } = run(`
      const { z } = await import('zod');
      runMain(async () => { readConfig(z.object({ NATS_URL: z.string() })); });`);
    expect(await exit).toBe(1);
    expect(stderr()).toBe('The configuration cannot be used:\n  NATS_URL: got nothing, expected string\n');
  });

  it('tells any other failure with its stack', async () => {
    const { exit, stderr } = run(`runMain(async () => { throw new TypeError('broken'); });`);
    expect(await exit).toBe(1);
    expect(stderr()).toMatch(/^TypeError: broken\n +at /);
  });

  it('leaves a process alone whose start succeeded', async () => {
    const { exit, stdout } = run(
      `runMain(async () => { createLogger('tested', 'debug').debug({ n: 1 }, 'up'); });`,
    );
    expect(await exit).toBe(0);
    expect(JSON.parse(stdout())).toEqual({
      level: 'debug',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      service: 'tested',
      n: 1,
      msg: 'up',
    });
  });
});
