import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { startOperations, type Operations, type OperationsOptions } from './operations.js';

let running: Operations[] = [];

async function start(checks: OperationsOptions['checks'] = {}): Promise<Operations> {
  const operations = await startOperations({ port: 0, checks, logger: pino({ level: 'silent' }) });
  running.push(operations);
  return operations;
}

async function get({ port }: Operations, path: string, method = 'GET'): Promise<[number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return [response.status, await response.text()];
}

afterEach(async () => {
  await Promise.all(running.map((operations) => operations.stop()));
  running = [];
});

describe('startOperations', () => {
  it('is alive at once, and ready only when told and while every check passes', async () => {
    let database = 'down';
    const operations = await start({
      database: async () => {
        if (database === 'down') throw new Error('no connection');
      },
      nats: () => {},
    });
    expect(await get(operations, '/livez')).toEqual([200, 'ok']);
    expect(await get(operations, '/readyz')).toEqual([503, 'not ready: starting or stopping']);
    operations.ready();
    expect(await get(operations, '/readyz')).toEqual([503, 'not ready: database']);
    database = 'up';
    expect(await get(operations, '/readyz')).toEqual([200, 'ok']);
    operations.notReady();
    expect(await get(operations, '/readyz')).toEqual([503, 'not ready: starting or stopping']);
    expect(await get(operations, '/livez')).toEqual([200, 'ok']);
  });

  it('tells each check when asked for it', async () => {
    const operations = await start({
      database: () => {
        throw new Error('no connection');
      },
      nats: () => {},
    });
    operations.ready();
    const [status, text] = await get(operations, '/readyz?verbose');
    expect(status).toBe(503);
    expect(JSON.parse(text)).toEqual({
      ready: false,
      started: true,
      checks: { database: 'no connection', nats: 'ok' },
    });
  });

  it('takes a check that hangs as failed', async () => {
    const operations = await start({ hanging: () => new Promise(() => {}) });
    operations.ready();
    const [status, text] = await get(operations, '/readyz?verbose');
    expect(status).toBe(503);
    expect(text).toContain('no answer within 2000 ms');
  });

  it('gives the metrics of the process, however often it is started', async () => {
    const [one, two] = [await start(), await start()];
    expect((await get(one, '/metrics'))[1]).toContain('process_cpu_user_seconds_total');
    expect((await get(two, '/metrics'))[0]).toBe(200);
  });

  it.each([
    ['/', 'GET', 404],
    ['/livez', 'POST', 405],
    ['/livez', 'HEAD', 200],
  ])('answers %s by %s with %i', async (path, method, status) => {
    expect((await get(await start(), path, method))[0]).toBe(status);
  });

  it('says that its port is taken, and frees it when stopped, twice if need be', async () => {
    const first = await start();
    const logger = pino({ level: 'silent' });
    const again = (): Promise<Operations> => startOperations({ port: first.port, checks: {}, logger });
    await expect(again()).rejects.toThrow('EADDRINUSE');
    await Promise.all([first.stop(), first.stop()]);
    running.push(await again());
    expect(running.at(-1)?.port).toBe(first.port);
  });
});
