import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkoutDirectory,
  checkoutState,
  findFreePort,
  findNatsServer,
  startProcess,
  type Stack,
} from '@baton/stack';
import { until } from '@baton/testkit';
import pg from 'pg';
import { serviceOf, type ComposeFile } from './compose-file.js';

/** The configuration that docker-compose.yml gives nats-server. */
export const natsConfig = join(checkoutDirectory, 'deploy/nats/nats-server.conf');

/** A nats-server with the configuration of docker-compose.yml. */
export type ComposeNats = {
  readonly address: string;
  /** The path that its health check asks, at the port it has here. */
  readonly healthUrl: string;
  readonly stop: () => Promise<void>;
};

/** The nats-server program of this checkout. */
export async function natsProgram(): Promise<string> {
  const binaries = join(checkoutState, 'bin');
  return (await findNatsServer({ environment: process.env, binaries, report: () => undefined })).path;
}

/** Starts nats-server as docker-compose.yml does; only its ports and its folder are others. */
export async function startComposeNats(compose: ComposeFile): Promise<ComposeNats> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-nats-'));
  const port = await findFreePort();
  const monitorPort = await findFreePort();
  const places = ['--addr', '127.0.0.1', '--port', `${port}`, '--http_port', `${monitorPort}`];
  // The one place that has no flag beside a configuration.
  const config = join(directory, 'nats-server.conf');
  await writeFile(config, readFileSync(natsConfig, 'utf8').replace('"/data"', JSON.stringify(directory)));
  const server = await startProcess({
    name: 'nats-server',
    command: await natsProgram(),
    arguments: ['--config', config, ...places],
    directory,
    logFile: join(directory, 'nats-server.log'),
  });
  const healthcheck = new URL(serviceOf(compose, 'nats').healthcheck?.test.at(-1) ?? '');
  healthcheck.port = String(monitorPort);
  const isHealthy = async () => (await fetch(healthcheck).catch(() => undefined))?.ok;
  try {
    await until(isHealthy, { describe: 'nats-server answers its health check' });
  } catch (cause) {
    await server.stop();
    throw new Error(`nats-server wrote:\n${await server.lastLines()}`, { cause });
  }
  return {
    address: `127.0.0.1:${port}`,
    healthUrl: healthcheck.href,
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * Makes the database of a stack as the Postgres image makes that of docker-compose.yml in a new volume: an empty
 * database of the superuser, in which the scripts run with the settings of the container.
 */
export async function initialisePostgres(stack: Stack, compose: ComposeFile): Promise<void> {
  const { environment: { PGOPTIONS, POSTGRES_DB } = {}, volumes = [] } = serviceOf(compose, 'postgres');
  await runIn(stack, 'postgres', [
    `drop database ${POSTGRES_DB} with (force)`,
    'drop role baton',
    'drop role baton_metrics',
    `create database ${POSTGRES_DB}`,
  ]);
  const mounted = volumes.find((volume) => volume.includes(':/docker-entrypoint-initdb.d:'))?.split(':')[0];
  const script = readFileSync(join(checkoutDirectory, `${mounted}/roles.sql`), 'utf8');
  await runIn(stack, POSTGRES_DB ?? '', [script], PGOPTIONS);
}

async function runIn(
  stack: Stack,
  database: string,
  statements: readonly string[],
  options?: string,
): Promise<void> {
  const url = new URL(stack.superuserPostgresUrl ?? '');
  url.pathname = database;
  const client = new pg.Client({ connectionString: url.href, ...(options !== undefined && { options }) });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
