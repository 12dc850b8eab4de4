import { readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import { Client } from 'pg';

import { startStack, type Stack } from '../src/index.js';
import { binaries, plainEnvironment, temporaryDirectory } from './temporary-directory.js';

const report: string[] = [];
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    directory: await temporaryDirectory(),
    binaries,
    environment: plainEnvironment(),
    report: (line) => report.push(line),
  });
});

afterAll(() => stack.stop());

async function query(text: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: stack.postgresUrl });
  client.on('error', () => undefined);
  await client.connect();
  return client.query(text).then(
    async ({ rows }) => {
      await client.end();
      return rows as readonly unknown[];
    },
    (cause: unknown) => {
      throw cause;
    },
  );
}

function natsAnswers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(Number(new URL(stack.natsUrl).port), '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('data', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function pidOf(name: string): Promise<number> {
  const { children } = JSON.parse(await readFile(join(stack.directory, 'run.json'), 'utf8')) as {
    readonly children: readonly { readonly name: string; readonly pid: number }[];
  };
  return children.findLast((child) => child.name === name)?.pid ?? 0;
}

describe('an embedded server that is killed', () => {
  it('Postgres is started again on its port, with its data', async () => {
    await query(`create table kept as select 'Mars' as planet`);
    const killed = await pidOf('Postgres');
    process.kill(killed, 'SIGKILL');
    await until(() => report.some((line) => line.startsWith('Postgres was started again')));
    expect(await until(() => query('select planet from kept'))).toEqual([{ planet: 'Mars' }]);
    expect(report).toContainEqual(
      expect.stringMatching(/^Postgres was ended by SIGKILL; starting it again in/),
    );
    const pid = await pidOf('Postgres');
    expect(pid).not.toBe(killed);
    expect(stack.describe()[0]).toContain(`pid ${pid}`);
  });

  it('nats-server is started again on its port', async () => {
    process.kill(await pidOf('nats-server'), 'SIGKILL');
    await until(() => report.some((line) => line.startsWith('nats-server was started again')));
    await until(natsAnswers);
  });
});
