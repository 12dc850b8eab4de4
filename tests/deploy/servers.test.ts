import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIMITS } from '@baton/contracts';
import { checkoutDirectory } from '@baton/stack';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { natsServerConfig } from '../../packages/stack/src/nats/server-config.js';
import { serverFlags } from '../../packages/stack/src/postgres/server-flags.js';
import { readCompose, serviceOf } from './compose-file.js';
import { configOf, readDockerfile } from './dockerfile.js';
import { natsConfig, natsProgram, startComposeNats, type ComposeNats } from './servers.js';

const run = promisify(execFile);
const compose = readCompose();

describe('nats-server of docker-compose.yml', () => {
  let nats: ComposeNats | undefined;
  let connection: NatsConnection | undefined;
  beforeAll(async () => {
    nats = await startComposeNats(compose);
    connection = await connect({ servers: nats.address });
  });
  afterAll(async () => {
    await connection?.close();
    await nats?.stop();
  });

  it('accepts its configuration without a warning', async () => {
    const { stdout, stderr } = await run(await natsProgram(), ['-t', '--config', natsConfig]);
    expect(`${stdout}${stderr}`).toMatch(/^nats-server: configuration file \S+ is valid[^\n]*\n$/);
  });

  it('has JetStream, takes the largest message, and answers its health check', async () => {
    expect(connection?.info?.jetstream).toBe(true);
    expect(connection?.info?.max_payload).toBeGreaterThanOrEqual(LIMITS.serverPayloadBytes);
    expect((await fetch(nats?.healthUrl ?? '')).status).toBe(200);
  });

  it('has the settings of `npm start`, but for addresses and paths', () => {
    const accounts = { operator: '', system: '', accounts: {} };
    const own = natsServerConfig({ port: 1, storeDirectory: '/', durability: 'durable', accounts });
    expect(settingsOf(readFileSync(natsConfig, 'utf8'))).toEqual(settingsOf(own));
  });

  it('keeps its streams in a volume, and is published at the port where it listens', () => {
    const { volumes, ports } = serviceOf(compose, 'nats');
    expect(volumes).toContain('nats:/data');
    expect(ports).toEqual([expect.stringMatching(/:4222$/)]);
    expect(readFileSync(natsConfig, 'utf8')).toMatch(/listen: "0\.0\.0\.0:4222"[^]*store_dir: "\/data"/);
  });
});

describe('Postgres of docker-compose.yml', () => {
  it('has the settings of `npm start`, but for addresses', () => {
    const own = serverFlags(1, 'durable').filter(
      (flag) => flag !== '-c' && !/^(listen|unix|port)/.test(flag),
    );
    const { command = [] } = serviceOf(compose, 'postgres');
    expect(command).toEqual(['postgres', ...own.map((flag) => `--${flag}`)]);
  });

  it('runs no script at its first start but the one of the roles', () => {
    expect(readdirSync(join(checkoutDirectory, 'deploy/postgres'))).toEqual(['roles.sql']);
  });
});

describe('the gateway of docker-compose.yml', () => {
  const config = readFileSync(join(checkoutDirectory, 'deploy/haproxy/haproxy.cfg'), 'utf8');
  const { environment } = configOf(readDockerfile(), 'task-service');

  it('sends each published port to the service it stands for, where that listens', () => {
    const frontends = [...config.matchAll(/frontend \w+\n +bind :(\d+)\n +default_backend ([\w-]+)/g)];
    const ports = frontends.map(([, port]) => `127.0.0.1:${port}:${port}`);
    expect(serviceOf(compose, 'gateway').ports).toEqual(ports);
    for (const [, , service] of frontends) {
      expect(serviceOf(compose, service ?? '').build).toBeDefined();
      expect(config).toContain(`10 ${service}:${environment['BATON_HTTP_PORT']}\n`);
    }
  });

  it('sends requests only to replicas that say they are ready', () => {
    expect(config).toContain('option httpchk GET /readyz');
    expect(config).toContain(`default-server check port ${environment['BATON_OPERATIONS_PORT']} `);
  });

  it('answers its own health check where Compose asks', () => {
    const url = new URL(serviceOf(compose, 'gateway').healthcheck?.test.at(-1) ?? '');
    expect(config).toContain(`bind ${url.host}`);
    expect(config).toContain(`monitor-uri ${url.pathname}`);
  });
});

/** `name: value` in their order, without what differs between one machine and a container. */
function settingsOf(config: string): readonly string[] {
  const settings = config.split('\n').map((line) => line.trim());
  // Nor what only a server with logins has.
  const others = /^(listen|http|store_dir|operator|system_account|resolver\w*|timeout):/;
  return settings.filter((line) => /^\w+:/.test(line) && !others.test(line));
}
