import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { INBOX_PREFIX } from '@baton/contracts';
import { startTestStack, type TestStack } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect as connectTo, credsAuthenticator } from '@nats-io/transport-node';

import { checkoutDirectory } from '../src/index.js';

const run = promisify(execFile);

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.stop());

describe('the keys and credentials of the embedded nats-server', () => {
  it('are readable by their owner alone, and stand in no process list and no log', async () => {
    await stack.nats.access.agentFiles(['writer']);
    const directory = join(stack.directory, 'nats');
    const names = await readdir(directory, { recursive: true });
    const secret = names.filter((name) => /(keys\.json|authority\.json|\.creds)$/.test(name));
    expect(secret.toSorted()).toEqual([
      'credentials/agents/writer.creds',
      'credentials/authority.json',
      'credentials/distribution-service.creds',
      'credentials/metrics-service.creds',
      'credentials/probe.creds',
      'credentials/task-service.creds',
      'keys.json',
    ]);
    for (const name of secret) {
      expect([name, (await stat(join(directory, name))).mode & 0o777]).toEqual([name, 0o600]);
    }
    const texts = await Promise.all(secret.map((name) => readFile(join(directory, name), 'utf8')));
    const seeds = texts.flatMap((text) => text.match(/\bS[OAU][A-Z2-7]{56}\b/g) ?? []);
    expect(seeds.length).toBe(12);
    const shown = [
      (await run('ps', ['-A', '-o', 'args='])).stdout,
      await readFile(join(directory, 'nats-server.conf'), 'utf8'),
      await readFile(join(stack.directory, 'logs', 'nats-server.log'), 'utf8'),
    ].join('\n');
    expect(seeds.filter((seed) => shown.includes(seed))).toEqual([]);
  });

  it('are written for agents by a command that prints their folder alone, while the server runs', async () => {
    const program = join(checkoutDirectory, 'packages', 'stack', 'dist', 'cli', 'credentials.js');
    const env = { ...process.env, BATON_DIRECTORY: stack.directory };
    const { stdout } = await run(process.execPath, [program, 'hello', 'scribe'], { env });
    expect(stdout).toBe(`${join(stack.nats.access.directory, 'agents')}\n`);
    for (const id of ['hello', 'scribe']) {
      const credentials = await readFile(join(stdout.trim(), `${id}.creds`));
      const agent = await connectTo({
        servers: stack.natsUrl,
        inboxPrefix: INBOX_PREFIX.agent(id),
        authenticator: credsAuthenticator(credentials),
      });
      await agent.flush();
      await agent.close();
    }
  });

  it('are asked for: who connects without any is sent away', async () => {
    const socket = connect(Number(new URL(stack.natsUrl).port), '127.0.0.1');
    let heard = '';
    socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
    socket.write('CONNECT {"verbose":false}\r\nSUB > 1\r\nPING\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(heard).toMatch(/^INFO .*"auth_required":true/);
    expect(heard).toContain("-ERR 'Authorization Violation'");
    expect(heard).not.toContain('PONG');
  });
});
