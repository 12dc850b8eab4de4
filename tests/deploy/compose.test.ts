import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { checkoutDirectory } from '@baton/stack';
import { configSchema as distributionSchema } from '../../services/distribution-service/src/config.js';
import { configSchema as metricsSchema } from '../../services/metrics-service/src/config.js';
import { configSchema as taskSchema } from '../../services/task-service/src/config.js';
import { passwords, readCompose, serviceOf } from './compose-file.js';
import { configOf, readDockerfile } from './dockerfile.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const compose = readCompose();
const stages = readDockerfile();
const all = Object.entries(compose.services);
const schemas = {
  'task-service': taskSchema,
  'distribution-service': distributionSchema,
  'metrics-service': metricsSchema,
};

/** The variables a container of the service gets; an empty one counts as not set, as in the services. */
function environmentOf(name: string): Readonly<Record<string, string>> {
  const given = { ...configOf(stages, name).environment, ...serviceOf(compose, name).environment };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
}

describe('docker-compose.yml', () => {
  it('conforms to the schema of Compose and to the rules of its linter', async () => {
    const linter = join(dirname(require.resolve('dclint/package.json')), 'bin/dclint.cjs');
    const file = join(checkoutDirectory, 'docker-compose.yml');
    // It ends with status 1 when it has found something, and writes what to stdout.
    const outcome = await run(process.execPath, [linter, '--quiet', file]).catch(
      (error: { readonly stdout: string }) => error,
    );
    expect(outcome.stdout.trim()).toBe('');
  });

  it.each(Object.keys(passwords))('refuses to start without %s', (name) => {
    expect(() => readCompose({ ...passwords, [name]: '' })).toThrow(name);
  });

  it('publishes on loopback alone', () => {
    const ports = all.flatMap(([, { ports: own = [] }]) => own);
    const published = [4001, 4003, 4222, 4318, 9090, 3000];
    expect(ports).toEqual(published.map((port) => `127.0.0.1:${port}:${port}`));
  });

  it.each(all)('locks %s down', (_, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      restart: 'unless-stopped',
      logging: { driver: 'local' },
      mem_limit: expect.any(String),
      pids_limit: expect.any(Number),
    });
    expect(service).not.toHaveProperty('privileged');
  });

  it.each(all)('knows whether %s is healthy', (name, { healthcheck, build }) => {
    // Nothing in its image could ask.
    if (name === 'otel-collector') return;
    if (build === undefined) expect(healthcheck?.test[0]).toBe('CMD');
    else expect(configOf(stages, build.target).healthcheck).not.toEqual([]);
    expect([name, healthcheck?.test.includes('NONE') ?? false]).toEqual([name, false]);
  });

  it('lets only those who use Postgres reach it', () => {
    const inside = all.filter(([, { networks = [] }]) => networks.includes('database'));
    expect(inside.map(([name]) => name).toSorted()).toEqual(['metrics-service', 'postgres', 'task-service']);
    expect(serviceOf(compose, 'postgres').networks).toEqual(['database']);
    expect(compose.networks['database']).toEqual({ internal: true });
  });

  it('mounts files that exist', () => {
    const paths = all.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0] ?? ''));
    const files = paths.filter((path) => path.startsWith('./'));
    expect(new Set(files).size).toBe(4);
    expect(files.filter((path) => !existsSync(join(checkoutDirectory, path)))).toEqual([]);
  });
});

describe.each(Object.entries(schemas))('%s in a container', (name, schema) => {
  it('can be scaled: nothing of it exists only once', () => {
    const service = serviceOf(compose, name);
    for (const single of ['container_name', 'ports', 'volumes', 'hostname']) {
      expect(service).not.toHaveProperty(single);
    }
  });

  it('is built from the target of its name', () => {
    expect(serviceOf(compose, name).build).toEqual({ context: '.', target: name });
    expect(configOf(stages, name).command.at(-1)).toBe(`services/${name}/dist/main.js`);
  });

  it('gets every variable it needs, and in docker-compose.yml none that it does not read', () => {
    const known = Object.keys(schema.shape);
    const set = Object.keys(serviceOf(compose, name).environment ?? {});
    const standard = ['OTEL_EXPORTER_OTLP_ENDPOINT'];
    expect(set.filter((variable) => ![...known, ...standard].includes(variable))).toEqual([]);
    expect(schema.safeParse(environmentOf(name)).error?.issues ?? []).toEqual([]);
  });

  it('is not killed while it finishes what is in work', () => {
    const seconds = Number(/^(\d+)s$/.exec(serviceOf(compose, name).stop_grace_period ?? '')?.[1]);
    const { BATON_SHUTDOWN_DELAY_MS, BATON_SHUTDOWN_DEADLINE_MS } = schema.parse(environmentOf(name));
    expect(seconds * 1000).toBeGreaterThan(BATON_SHUTDOWN_DELAY_MS + BATON_SHUTDOWN_DEADLINE_MS);
  });

  it('stops serving only when the gateway has stopped sending', () => {
    const config = readFileSync(join(checkoutDirectory, 'deploy/haproxy/haproxy.cfg'), 'utf8');
    const [, seconds, refusals] = /inter (\d+)s fall (\d+)/.exec(config) ?? [];
    const { BATON_SHUTDOWN_DELAY_MS } = schema.parse(environmentOf(name));
    expect(BATON_SHUTDOWN_DELAY_MS).toBeGreaterThan(1000 * Number(seconds) * Number(refusals));
  });
});
