import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { until } from '@baton/testkit';
import { beforeAll, describe, expect, it } from '@jest/globals';

import { checkoutDirectory, findFreePort, planService, startServices } from '../src/index.js';
import type { ServiceDefinition, ServicesOptions } from '../src/index.js';
import { temporaryDirectory } from './temporary-directory.js';

const script = 'packages/stack/test/fixtures/stand-in-service.mjs';

const first: ServiceDefinition = {
  name: 'first',
  script,
  database: 'main',
  http: { variable: 'TEST_HTTP_PORT', standard: 4901 },
  operations: { variable: 'TEST_FIRST_PORT', standard: 4911 },
};
const second: ServiceDefinition = {
  name: 'second',
  script,
  operations: { variable: 'TEST_SECOND_PORT', standard: 4912 },
};

async function describedBy(url: string): Promise<Record<string, unknown>> {
  return (await fetch(`${url}/livez`)).json() as Promise<Record<string, unknown>>;
}

describe('startServices', () => {
  let host: ServicesOptions['stack'];

  beforeAll(async () => {
    host = {
      directory: await temporaryDirectory(),
      postgresUrl: 'postgresql://main',
      metricsPostgresUrl: 'postgresql://metrics',
      natsUrl: 'nats://somewhere',
      nats: { access: { directory: '/somewhere' } },
      track: () => Promise.resolve(),
      announce: () => Promise.resolve(),
    };
  });

  const start = (options: Partial<ServicesOptions>) =>
    startServices({ stack: host, ports: 'free', definitions: [first, second], ...options });

  it('waits until each is ready, and tells each what it needs', async () => {
    const services = await start({});
    const { httpUrl = '', operationsUrl } = services.get('first');
    const told = await describedBy(operationsUrl);
    expect(told).toMatchObject({ database: 'postgresql://main', nats: 'nats://somewhere' });
    expect(told['http']).toBe(new URL(httpUrl).port);
    expect(await describedBy(services.get('second').operationsUrl)).not.toHaveProperty('database');
    await services.stop();
    const log = await readFile(join(host.directory, 'logs', 'first.log'), 'utf8');
    expect(log).toBe('at work\nasked to end\n');
  });

  it('starts a service again that crashed, on the same address', async () => {
    const report: string[] = [];
    const services = await start({ report: (line) => report.push(line) });
    const service = services.get('second');
    const { pid } = service.current();
    service.current().signal('SIGKILL');
    const restarted = await until(() => describedBy(service.operationsUrl));
    expect(restarted['pid']).not.toBe(pid);
    expect(restarted['pid']).toBe(service.current().pid);
    expect(report).toContainEqual(
      expect.stringMatching(/^second was ended by SIGKILL; starting it again in 0.5 s/),
    );
    await services.stop();
  });

  it('does not start a service again that was stopped while it waited for its restart', async () => {
    const services = await start({ definitions: [second] });
    services.get('second').current().signal('SIGKILL');
    await services.get('second').current().exited;
    await services.stop();
    await expect(describedBy(services.get('second').operationsUrl)).rejects.toThrow('fetch failed');
  });

  it('shows what a service wrote that ended before it was ready, and leaves none running', async () => {
    const broken = { ...second, name: 'broken', script: 'packages/stack/test/fixtures/failing-service.mjs' };
    const failure = start({ definitions: [first, broken] });
    await expect(failure).rejects.toMatchObject({ code: 'SERVICE_START_FAILED' });
    await expect(failure).rejects.toThrow(
      /^broken ended before it was ready. It wrote:\nthe table "planet" is missing\n/,
    );
    const log = await readFile(join(host.directory, 'logs', 'first.log'), 'utf8');
    expect(log.endsWith('asked to end\n')).toBe(true);
  });

  it('says which port is taken and how to change it', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const environment = { ...process.env, TEST_FIRST_PORT: String(port) };
    const failure = start({ ports: 'standard', environment });
    // Whose port it is can be told where the system tells it.
    const holder = process.platform === 'linux' ? ` by process ${process.pid} (` : '';
    await expect(failure).rejects.toThrow(`Port ${port} for first is in use on 127.0.0.1${holder}`);
    await expect(failure).rejects.toThrow('set TEST_FIRST_PORT to another port');
    other.close();
  });

  it('says which two of its own ports are one', async () => {
    const port = String(await findFreePort());
    const environment = { ...process.env, TEST_FIRST_PORT: port, TEST_SECOND_PORT: port };
    const failure = start({ ports: 'standard', environment: { ...environment, TEST_HTTP_PORT: '0' } });
    await expect(failure).rejects.toThrow(`Port ${port} is set by both TEST_FIRST_PORT and TEST_SECOND_PORT`);
  });

  it('gives each the time to stop that it gives itself', async () => {
    const environment = { BATON_SHUTDOWN_DELAY_MS: '1000', BATON_SHUTDOWN_DEADLINE_MS: '30000' };
    const context = { stack: host, checkout: checkoutDirectory, ports: 'free' as const };
    expect(await planService(second, { ...context, environment })).toMatchObject({
      process: { stopDeadlineMs: 33_000 },
    });
    expect(await planService(second, { ...context, environment: {} })).toMatchObject({
      process: { stopDeadlineMs: 22_000 },
    });
  });

  it('refuses a port that would be that of all, and names those of each', async () => {
    const started = (variable: string) =>
      start({ ports: 'standard', environment: { ...process.env, [variable]: '4900' } });
    await expect(started('BATON_HTTP_PORT')).rejects.toThrow(
      'BATON_HTTP_PORT is set, but each service needs a port of its own. Unset it, and set TEST_HTTP_PORT where',
    );
    await expect(started('BATON_OPERATIONS_PORT')).rejects.toThrow('TEST_FIRST_PORT, TEST_SECOND_PORT');
  });

  it.each([
    ['0.0.0.0', '127.0.0.1'],
    ['localhost', 'localhost'],
  ])('finds a service that listens on %s', async (address, found) => {
    const environment = { ...process.env, BATON_HTTP_HOST: address, BATON_OPERATIONS_HOST: address };
    const services = await start({ definitions: [second], environment });
    expect(services.get('second').operationsUrl).toContain(`//${found}:`);
    await services.stop();
  });

  it('says to build when a program is missing', async () => {
    const failure = start({ definitions: [{ ...second, script: 'services/nowhere.js' }] });
    await expect(failure).rejects.toThrow('services/nowhere.js of second is missing');
  });
});
