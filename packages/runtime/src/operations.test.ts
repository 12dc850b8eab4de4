import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '@baton/testkit';
import type { IncomingMessage } from 'node:http';
import { pino } from 'pino';
import { answerLogLevel } from './log-level.js';
import { startOperations, type Health, type Operations } from './operations.js';

let running: Operations[] = [];

async function start(health: Health = { checks: {} }): Promise<Operations> {
  const operations = await startOperations({
    port: 0,
    ...health,
    logger: pino({ level: 'silent' }, { write: () => undefined }),
  });
  running.push(operations);
  return operations;
}

async function get({ port }: Operations, path: string, method = 'GET'): Promise<[number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return [response.status, await response.text()];
}

async function verbose(operations: Operations): Promise<[number, unknown]> {
  const [status, text] = await get(operations, '/readyz?verbose');
  return [status, JSON.parse(text)];
}

function failing(problem: string): () => never {
  return () => {
    throw new Error(problem);
  };
}

afterEach(async () => {
  await Promise.all(running.map((operations) => operations.stop()));
  running = [];
});

describe('startOperations', () => {
  it('is alive at once, and ready only when told and while every check passes', async () => {
    let database = 'down';
    const operations = await start({
      checks: {
        database: () => {
          if (database === 'down') throw new Error('no connection');
        },
        nats: () => {},
      },
    });
    expect(await get(operations, '/livez')).toEqual([200, 'ok']);
    expect(await get(operations, '/readyz')).toEqual([503, 'not ready: starting']);
    operations.ready();
    expect(await get(operations, '/readyz')).toEqual([503, 'not ready: database']);
    database = 'up';
    expect(await get(operations, '/readyz')).toEqual([200, 'ok']);
    await operations.notReady();
    operations.ready();
    expect(await get(operations, '/readyz')).toEqual([503, 'not ready: stopping']);
    expect(await get(operations, '/livez')).toEqual([200, 'ok']);
  });

  it('stays in service with a warning, and tells it', async () => {
    const operations = await start({ checks: { database: () => {} }, warnings: { nats: failing('away') } });
    operations.ready();
    expect(await get(operations, '/readyz')).toEqual([200, 'ok, degraded: nats']);
    expect(await verbose(operations)).toEqual([
      200,
      {
        ready: true,
        stage: 'started',
        failed: [],
        degraded: ['nats'],
        checks: { database: 'ok', nats: 'away' },
      },
    ]);
    const [, metrics] = await get(operations, '/metrics');
    expect(metrics).toContain('baton_check_failing{check="nats"} 1');
    expect(metrics).toContain('baton_check_failing{check="database"} 0');
  });

  it('tells each check when asked for it, during the start too', async () => {
    const operations = await start({ checks: { database: failing('no connection'), nats: () => {} } });
    const checks = { database: 'no connection', nats: 'ok' };
    const findings = { ready: false, failed: ['database'], degraded: [], checks };
    expect(await verbose(operations)).toEqual([503, { ...findings, stage: 'starting' }]);
    operations.ready();
    expect(await verbose(operations)).toEqual([503, { ...findings, stage: 'started' }]);
  });

  it('takes a check that hangs as failed, and does not begin it again meanwhile', async () => {
    let runs = 0;
    const hanging = (): Promise<void> => {
      runs += 1;
      return new Promise(() => {});
    };
    const operations = await start({ checks: { hanging } });
    operations.ready();
    const [first, second] = await Promise.all([verbose(operations), verbose(operations)]);
    expect(first).toMatchObject([503, { checks: { hanging: 'no answer within 2000 ms' } }]);
    expect(second).toEqual(first);
    expect(runs).toBe(1);
  });

  it('asks what takes an answer from elsewhere once a second at most', async () => {
    const runs: number[] = [];
    const database = async (): Promise<void> => {
      runs.push(performance.now());
      if (runs.length === 1) throw new Error('no connection');
    };
    const operations = await start({ checks: { database } });
    operations.ready();
    let asked = 0;
    await until(async () => {
      asked += 1;
      return (await get(operations, '/readyz'))[0] === 200;
    });
    expect(asked).toBeGreaterThan(2);
    const [first = 0, second = 0, ...more] = runs;
    // A clock may be read a little late the first time.
    expect(second - first).toBeGreaterThan(900);
    expect(more).toEqual([]);
  });

  it('gives load balancers time to notice that it is stopping', async () => {
    const logger = pino({ level: 'silent' });
    const operations = await startOperations({ port: 0, checks: {}, shutdownDelayMs: 300, logger });
    running.push(operations);
    operations.ready();
    const began = performance.now();
    const noticed = operations.notReady();
    expect(await get(operations, '/readyz')).toEqual([503, 'not ready: stopping']);
    await noticed;
    // A timer may fire a little early.
    expect(performance.now() - began).toBeGreaterThan(290);
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

  it('tells the level of the log and changes it, to one there is', async () => {
    const operations = await start();
    const put = async (body: string) => {
      const response = await fetch(`http://127.0.0.1:${operations.port}/loglevel`, { method: 'PUT', body });
      return [response.status, await response.text()];
    };
    expect(await get(operations, '/loglevel')).toEqual([200, 'silent']);
    expect(await put('debug\n')).toEqual([200, 'debug']);
    expect(await get(operations, '/loglevel')).toEqual([200, 'debug']);
    expect(await put('loud')).toEqual([400, 'expected one of trace, debug, info, warn, error, fatal']);
    expect((await put('x'.repeat(100_000)))[0]).toBe(400);
    expect(await put('fatal')).toEqual([200, 'fatal']);
    expect((await get(operations, '/livez', 'PUT'))[0]).toBe(405);
  });

  it('lets nobody else change the level', async () => {
    const request = { method: 'PUT', socket: { remoteAddress: '192.0.2.7' } } as IncomingMessage;
    expect(await answerLogLevel(request, pino({ level: 'info' }))).toMatchObject({ status: 403 });
  });
});
