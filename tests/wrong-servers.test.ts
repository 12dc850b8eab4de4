import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, startNats, until, type TestDatabase, type TestNats } from '@baton/testkit';

let database: TestDatabase;
let nats: TestNats;
beforeAll(async () => {
  [database, nats] = await Promise.all([createTestDatabase(), startNats()]);
});
afterAll(async () => {
  await database.close();
  await nats.close();
});

function run(service: string, environment: NodeJS.ProcessEnv) {
  const main = fileURLToPath(new URL(`../services/${service}/dist/main.js`, import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env['PATH'], NATS_URL: nats.url, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [log, complaint] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const exited = once(child, 'close').then(([code]) => code as number);
  return { child, exited, log: () => log, complaint: () => complaint };
}

function changed(change: (url: URL) => void): string {
  const url = new URL(database.url);
  change(url);
  return url.href;
}

describe.each(['task-service', 'metrics-service'])('%s whose database refuses it', (service) => {
  it.each([
    [
      'for its password',
      (url: URL) => (url.password = 'hunter2'),
      /it refuses the password of user "\w+"; correct user or password$/,
    ],
    [
      'for a database that is missing',
      (url: URL) => (url.pathname = '/no_such_database'),
      /there is no database "no_such_database"; create it \(createdb\) or correct the name$/,
    ],
  ])('%s ends with one line that says what to do', async (_why, change, expected) => {
    const { exited, complaint } = run(service, { DATABASE_URL: changed(change) });
    expect(await exited).toBe(1);
    const lines = complaint().trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^DATABASE_URL: Postgres at 127\.0\.0\.1:\d+\/\w+ cannot be used: /);
    expect(lines[0]).toMatch(expected);
    expect(complaint()).not.toContain('hunter2');
  });
});

describe('a service that waits for its servers', () => {
  it.each([
    [
      'nothing listens where Postgres should be',
      'metrics-service',
      { DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/x' },
      'DATABASE_URL: Postgres at 127.0.0.1:1/x cannot be used: nothing listens there; start that Postgres or correct host and port',
    ],
    [
      'nothing listens where NATS should be',
      'distribution-service',
      { NATS_URL: 'nats://127.0.0.1:1' },
      'NATS_URL: NATS at nats://127.0.0.1:1 cannot be reached: nothing listens there; start that nats-server or correct host and port',
    ],
    [
      'the host of NATS is unknown',
      'distribution-service',
      { NATS_URL: 'nats://no-such-host.invalid:4222' },
      'NATS_URL: NATS at nats://no-such-host.invalid:4222 cannot be reached: the host name cannot be found',
    ],
  ])('tells once that %s, without a password', async (_what, service, environment, expected) => {
    const { child, exited, log } = run(service, environment);
    await until(() => log().includes(expected), { describe: log });
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(log().split(expected)).toHaveLength(2);
    expect(log()).not.toContain('hunter2');
  });
});
