import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';

const runtime = new URL('../dist/index.js', import.meta.url).href;
const children: ChildProcessByStdio<null, Readable, Readable>[] = [];

/** Runs a script with what the runtime exports in its scope, in a process of its own. */
function run(script: string, environment: NodeJS.ProcessEnv = {}) {
  const source = `import * as runtime from ${JSON.stringify(runtime)};
    import { z } from 'zod';
    const { runMain, runService, serviceSettings, StartError } = runtime; ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...environment },
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

/** A service that does nothing until it is told to stop; `body` is its start. */
function runTested(body: string, environment: NodeJS.ProcessEnv = {}) {
  const script = `runService('tested', z.object(serviceSettings), async (config, { logger, onStop }) => {
    setInterval(() => {}, 1000);
    ${body}
  });`;
  return run(script, { NATS_URL: 'nats://localhost', ...environment });
}

afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});

describe('a service that is told to stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops once on %s and exits with 0', async (signal) => {
    const { child, exit, messages } = runTested(
      `onStop(async () => { logger.info('cleaned up'); }); logger.info('running');`,
    );
    await until(() => messages().includes('running'));
    child.kill(signal);
    expect(await exit).toBe(0);
    expect(messages()).toEqual(['running', 'stopping', 'cleaned up', 'stopped']);
  });

  it.each([
    ['fails', `async () => { throw new Error('stuck'); }`, 'the shutdown failed'],
    ['overruns its deadline', '() => new Promise(() => {})', 'the shutdown overran its deadline: exiting'],
  ])('exits with 1 when the stop %s', async (_what, stop, message) => {
    const { child, exit, messages } = runTested(`onStop(${stop}); logger.info('running');`, {
      BATON_SHUTDOWN_DEADLINE_MS: '50',
    });
    await until(() => messages().includes('running'));
    child.kill('SIGTERM');
    expect(await exit).toBe(1);
    expect(messages().at(-1)).toBe(message);
  });

  it('adds the delay for load balancers to the deadline', async () => {
    const { child, exit, messages } = runTested(
      `onStop(() => new Promise((resolve) => setTimeout(resolve, 200))); logger.info('running');`,
      { BATON_SHUTDOWN_DEADLINE_MS: '100', BATON_SHUTDOWN_DELAY_MS: '5000' },
    );
    await until(() => messages().includes('running'));
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });

  it('exits within a second on a second signal, with 1', async () => {
    const { child, exit, messages } = runTested(
      `onStop(() => new Promise(() => {})); logger.info('running');`,
    );
    await until(() => messages().includes('running'));
    child.kill('SIGTERM');
    await until(() => messages().includes('stopping'));
    const began = performance.now();
    child.kill('SIGINT');
    expect(await exit).toBe(1);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it('exits with 0 before its start is complete', async () => {
    const { child, exit, messages } = runTested(`logger.info('waiting'); await new Promise(() => {});`);
    await until(() => messages().includes('waiting'));
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });
});

describe('an error that nobody caught', () => {
  it.each([
    ['an exception', `setTimeout(() => { throw new TypeError('broken'); });`, 'uncaughtException'],
    ['a rejection', `void Promise.reject(new TypeError('broken'));`, 'unhandledRejection'],
  ])('%s is logged as fatal and ends the process with 1', async (_what, body, origin) => {
    const { exit, stdout, stderr } = runTested(body);
    expect(await exit).toBe(1);
    expect(JSON.parse(stdout())).toMatchObject({
      level: 'fatal',
      service: 'tested',
      origin,
      err: { type: 'TypeError', message: 'broken', stack: expect.stringContaining('at ') },
    });
    expect(stderr()).toBe('');
  });
});

describe('a service that cannot start', () => {
  it('tells everything that is wrong with its configuration on stderr, without a stack', async () => {
    const { exit, stderr } = runTested('', { NATS_URL: '', BATON_LOG_LEVL: 'info' });
    expect(await exit).toBe(1);
    expect(stderr()).toBe(
      'The configuration cannot be used:\n' +
        '  NATS_URL: got nothing, expected addresses of NATS servers, nats://host:port or tls://host:port, ' +
        'without user and password, for example nats://nats.example.org:4222\n' +
        '  BATON_LOG_LEVL: no part of Baton knows it; did you mean BATON_LOG_LEVEL?\n',
    );
  });

  it('names the variable of a port that is taken, and how to find who has it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const open = `await runtime.startOperations({ port: config.BATON_OPERATIONS_PORT, checks: {}, logger });`;
    const { exit, stderr } = runTested(open, { BATON_OPERATIONS_PORT: String(port) });
    expect(await exit).toBe(1);
    server.close();
    expect(stderr()).toBe(
      `BATON_OPERATIONS_PORT: port ${port} of 127.0.0.1 is taken by another program; stop that one ` +
        `("lsof -i :${port}" or "ss -ltnp" tells who it is) or set BATON_OPERATIONS_PORT to another port\n`,
    );
  });

  it('names the variable of an address that is not of this machine', async () => {
    const open = `await runtime.startOperations({ port: 0, host: config.BATON_OPERATIONS_HOST, checks: {}, logger });`;
    const { exit, stderr } = runTested(open, { BATON_OPERATIONS_HOST: '192.0.2.1' });
    expect(await exit).toBe(1);
    expect(stderr()).toMatch(
      /^BATON_OPERATIONS_HOST: 192\.0\.2\.1 is no address of this machine \(EADDRNOTAVAIL\); set/,
    );
  });
});

describe('runMain', () => {
  it('tells what is meant for people without a stack', async () => {
    const { exit, stderr } = run(`runMain(async () => { throw new StartError('do this'); });`);
    expect(await exit).toBe(1);
    expect(stderr()).toBe('do this\n');
  });

  it('tells any other failure with its stack', async () => {
    const { exit, stderr } = run(`runMain(async () => { throw new TypeError('broken'); });`);
    expect(await exit).toBe(1);
    expect(stderr()).toMatch(/^TypeError: broken\n +at /);
  });

  it('leaves a process alone whose start succeeded', async () => {
    const script = `runService('tested', z.object(serviceSettings), async (_, { logger }) => logger.debug({ n: 1 }, 'up'));`;
    const { exit, stdout } = run(script, { NATS_URL: 'nats://localhost', BATON_LOG_LEVEL: 'debug' });
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
