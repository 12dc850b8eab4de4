import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DomainError, STREAM_LIMITS, STREAMS } from '@baton/contracts';
import { jetstreamManager } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { startNats, until, type TestNats } from '@baton/testkit';
import { ensureStreams, type Bus } from '../src/index.js';
import { taskEvent } from './events.js';
import { keepingLogger, testBus } from './service.js';

let nats: TestNats;
let buses: Bus[] = [];

async function open(name?: string, logger = keepingLogger().logger): Promise<Bus> {
  const bus = await testBus(nats, name, logger);
  buses.push(bus);
  return bus;
}

async function errorOf(promise: Promise<unknown>): Promise<DomainError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DomainError);
  return error as DomainError;
}

const batch = (): string => JSON.stringify([taskEvent('task.created')]);

beforeAll(async () => {
  nats = await startNats();
});
afterEach(async () => {
  await Promise.all(buses.map((bus) => bus.close()));
  buses = [];
});
afterAll(() => nats.close());

describe('requests', () => {
  it('carry JSON, the version and the trace context, and answer JSON', async () => {
    const [asking, answering] = [await open('svc-asking'), await open('svc-answering')];
    answering.listen('test.echo', (message) => {
      const headers = Object.fromEntries(message.headers ?? []);
      message.respond(JSON.stringify({ headers, body: message.json(), reply: message.reply }));
    });
    await answering.connection.flush();
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const answer = await asking.request('test.echo', { a: 1 }, { timeoutMs: 1_000, traceparent });
    expect(answer).toEqual({
      body: { a: 1 },
      headers: { 'Baton-Version': ['1'], traceparent: [traceparent] },
      reply: expect.stringMatching(/^_INBOX\.svc-asking\./),
    });
  });

  it('without an answer are UNAVAILABLE with the reason', async () => {
    const bus = await open();
    const nobody = await errorOf(bus.request('test.nobody', {}, { timeoutMs: 1_000 }));
    expect(nobody.toBody()).toMatchObject({ code: 'UNAVAILABLE', details: { reason: 'no_responders' } });

    bus.listen('test.silent', () => {});
    const late = await errorOf(bus.request('test.silent', {}, { timeoutMs: 50 }));
    expect(late.toBody()).toMatchObject({ code: 'UNAVAILABLE', details: { reason: 'timeout' } });
  });

  it('answered with something else than JSON are told so', async () => {
    const bus = await open();
    bus.listen('test.odd', (message) => message.respond('odd'));
    const error = await errorOf(bus.request('test.odd', {}, { timeoutMs: 1_000 }));
    expect(error.code).toBe('VALIDATION_FAILED');
    expect(error.message).toContain('"odd"');
  });

  it('too large for the server are refused without waiting', async () => {
    const bus = await open();
    const error = await errorOf(bus.request('test.large', 'x'.repeat(10_000_000), { timeoutMs: 1_000 }));
    expect(error.code).toBe('PAYLOAD_TOO_LARGE');
  });
});

describe('hints', () => {
  it('reach every subscriber and only one of a queue group', async () => {
    const bus = await open();
    const seen: unknown[] = [];
    const shared: unknown[] = [];
    bus.subscribe('test.hint.*', (body, subject) => seen.push([body, subject]));
    bus.subscribe('test.hint.*', (body) => shared.push(body), { queue: 'one' });
    bus.subscribe('test.hint.*', (body) => shared.push(body), { queue: 'one' });
    bus.publishHint('test.hint.x', [1, 2]);
    await bus.connection.flush();
    await until(() => seen.length === 1 && shared.length === 1);
    expect(seen).toEqual([[[1, 2], 'test.hint.x']]);
    expect(shared).toEqual([[1, 2]]);
  });

  it('that are not JSON, or whose handler throws, do not stop the subscription', async () => {
    const { logger, lines } = keepingLogger();
    const bus = await open('svc-test', logger);
    const seen: unknown[] = [];
    const stop = bus.subscribe('test.bad', (body) => {
      seen.push(body);
      if (body === 'throw') throw new Error('handler broke');
    });
    bus.connection.publish('test.bad', '{');
    bus.publishHint('test.bad', 'throw');
    bus.publishHint('test.bad', 'fine');
    await until(() => seen.length === 2);
    expect(seen).toEqual(['throw', 'fine']);
    expect(lines.filter(({ msg }) => msg.includes('not JSON'))).toMatchObject([{ dropped: 1 }]);

    stop();
    bus.publishHint('test.bad', 'after');
    await bus.connection.flush();
    expect(seen).toHaveLength(2);
  });
});

describe('streams', () => {
  it('are made by racing replicas as the contracts say, and changed back when they differ', async () => {
    const [one, two] = [await open(), await open()];
    await Promise.all([ensureStreams(one), ensureStreams(two), ensureStreams(one)]);
    const manager = await jetstreamManager(one.connection);
    const wanted = {
      subjects: [...STREAMS.TASKS.subjects],
      retention: 'limits',
      storage: 'file',
      discard: 'old',
      max_age: nanos(STREAM_LIMITS.maxAgeMs),
      max_bytes: STREAM_LIMITS.maxBytes,
      duplicate_window: nanos(STREAM_LIMITS.duplicateWindowMs),
    };
    expect((await manager.streams.info('TASKS')).config).toMatchObject(wanted);
    expect((await manager.streams.info('FLEET')).config.subjects).toEqual([...STREAMS.FLEET.subjects]);

    await manager.streams.update('TASKS', { subjects: ['task.created'], max_bytes: 1_000_000 });
    await ensureStreams(two);
    expect((await manager.streams.info('TASKS')).config).toMatchObject(wanted);
  });

  it('take an event once, however often it is published', async () => {
    const bus = await open();
    await ensureStreams(bus);
    const manager = await jetstreamManager(bus.connection);
    await manager.streams.purge('TASKS');
    await Promise.all([1, 2, 3].map(() => bus.publishEvents('task.created', 'same-id', batch())));
    expect((await manager.streams.info('TASKS')).state.messages).toBe(1);
  });

  it('that are missing are made again by the next publish', async () => {
    const bus = await open();
    await ensureStreams(bus);
    const manager = await jetstreamManager(bus.connection);
    await manager.streams.delete('TASKS');
    await Promise.all([1, 2, 3].map((id) => bus.publishEvents('task.created', `healed-${id}`, batch())));
    expect((await manager.streams.info('TASKS')).state.messages).toBe(3);
  });

  it('refuse what no stream takes with UNAVAILABLE', async () => {
    const bus = await open();
    const error = await errorOf(bus.publishEvents('test.no.stream', 'id', batch()));
    expect(error.toBody()).toMatchObject({ code: 'UNAVAILABLE', details: { reason: 'stream_missing' } });
  });
});

describe('the connection', () => {
  it('comes back after the server was away; meanwhile everything is refused or dropped at once', async () => {
    const [bus, other] = [await open(), await open()];
    const changes: string[] = [];
    bus.onConnected(() => changes.push('connected'));
    const remove = bus.onConnected(() => changes.push('removed'));
    remove();
    bus.onDisconnected(() => changes.push('disconnected'));
    const seen: unknown[] = [];
    other.subscribe('test.hint', (body) => seen.push(body));
    other.listen('test.echo', (message) => message.respond(message.data));
    await ensureStreams(bus);

    await nats.stop();
    await until(() => !bus.isConnected() && !other.isConnected());
    bus.publishHint('test.hint', 'dropped');
    const requested = await errorOf(bus.request('test.echo', 1, { timeoutMs: 10_000 }));
    expect(requested.toBody()).toMatchObject({ code: 'UNAVAILABLE', details: { reason: 'disconnected' } });
    const published = await errorOf(bus.publishEvents('task.created', 'away', batch()));
    expect(published.details).toEqual({ reason: 'disconnected' });
    // What listens from now on must be heard after the reconnect too.
    const late: unknown[] = [];
    other.subscribe('test.hint', (body) => late.push(body));

    await nats.restart('kept');
    await until(() => bus.isConnected() && other.isConnected());
    await other.connection.flush();
    expect(await bus.request('test.echo', { again: true }, { timeoutMs: 2_000 })).toEqual({ again: true });
    bus.publishHint('test.hint', 'heard');
    await until(() => seen.length === 1 && late.length === 1);
    expect([seen, late, changes]).toEqual([['heard'], ['heard'], ['disconnected', 'connected']]);
    await bus.publishEvents('task.created', 'back', batch());
  });

  it('is replaced when the client ends by itself, and what listened listens again', async () => {
    const bus = await open();
    bus.listen('test.echo', (message) => message.respond(message.data));
    const first = bus.connection;
    await first.close();
    await until(() => bus.isConnected() && bus.connection !== first);
    expect(await bus.request('test.echo', 'again', { timeoutMs: 2_000 })).toBe('again');
  });

  it('is made later when NATS is down at the start', async () => {
    await nats.stop();
    const { logger, lines } = keepingLogger();
    const bus = await open('svc-early', logger);
    expect(bus.isConnected()).toBe(false);
    expect(lines.filter(({ msg }) => msg.includes('cannot be reached: nothing listens there'))).toHaveLength(
      1,
    );
    expect(() => bus.connection).toThrow(DomainError);
    expect((await errorOf(bus.publishEvents('task.created', 'early', batch()))).details).toEqual({
      reason: 'disconnected',
    });
    bus.publishHint('test.early', 'dropped');
    const seen: unknown[] = [];
    bus.subscribe('test.early', (body) => seen.push(body));
    const stopped = bus.subscribe('test.early', () => seen.push('of a stopped one'));
    stopped();

    await nats.restart('kept');
    await until(() => bus.isConnected());
    bus.publishHint('test.early', 'heard');
    await until(() => seen.length > 0);
    expect(seen).toEqual(['heard']);
  });

  it('can be closed twice, while connected, while the server is away, and before it ever was there', async () => {
    const connected = await open();
    await Promise.all([connected.close(), connected.close()]);
    expect(connected.isConnected()).toBe(false);
    expect((await errorOf(connected.request('test.echo', 1, { timeoutMs: 1_000 }))).code).toBe('UNAVAILABLE');

    const lost = await open();
    await nats.stop();
    await until(() => !lost.isConnected());
    await lost.close();
    const early = await open();
    await early.close();
    await nats.restart('kept');
  });
});
