import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DomainError } from '@baton/contracts';
import { startNats, until, type TestNats } from '@baton/testkit';
import { Controller, UseGuards, type CanActivate } from '@nestjs/common';
import { headers, type Msg } from '@nats-io/transport-node';
import { Replies, RequestReplyStrategy, type Bus, type BusContext } from '../src/index.js';
import { freeAddress, gate, keepingLogger, startService, testBus, type Server } from './service.js';

let nats: TestNats;
let closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  nats = await startNats();
});
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  closing = [];
});
afterAll(() => nats.close());

class Closed implements CanActivate {
  canActivate(): boolean {
    throw new DomainError('FORBIDDEN', 'not you');
  }
}

/** What the handlers saw, and what holds them back. */
const seen: { body: unknown; context: BusContext }[] = [];
let held = Promise.resolve();

@Controller()
class TestController {
  @Replies('agent.*.hello', { queue: 'task-service' })
  async hello(body: unknown, context: BusContext): Promise<object> {
    seen.push({ body, context });
    return { ok: true, from: context.subject };
  }

  @Replies('svc.refuse', { queue: 'task-service' })
  async refuse(): Promise<object> {
    throw new DomainError('AGENT_AT_CAPACITY', 'no free slot', { retryAfterMs: 20, details: { held: 5 } });
  }

  @Replies('svc.break', { queue: 'task-service' })
  async break(): Promise<object> {
    throw new TypeError('secret detail');
  }

  @Replies('svc.huge', { queue: 'task-service' })
  async huge(): Promise<object> {
    return { huge: 'x'.repeat(10_000_000) };
  }

  @Replies('svc.guarded', { queue: 'task-service' })
  @UseGuards(Closed)
  async guarded(): Promise<object> {
    return {};
  }

  @Replies('svc.slow', { queue: 'task-service', maxInFlight: 2 })
  async slow(body: unknown): Promise<object> {
    seen.push({ body, context: { subject: '', traceparent: undefined, headers: undefined } });
    await held;
    return { done: body };
  }
}

async function openBus(name: string, server: Server = nats, logger = keepingLogger().logger): Promise<Bus> {
  const bus = await testBus(server, name, logger);
  closing.push(() => bus.close());
  return bus;
}

async function serve(name = 'svc-task', server: Server = nats) {
  seen.length = 0;
  held = Promise.resolve();
  const { logger, lines } = keepingLogger();
  const bus = await openBus(name, server, logger);
  const close = await startService(new RequestReplyStrategy(bus, logger), TestController);
  closing.push(close);
  if (bus.isConnected()) await bus.connection.flush();
  return { bus, lines, close };
}

/** From now on `svc.slow` waits. */
function holdBack(): { open: () => void } {
  const { passed, open } = gate();
  held = passed;
  return { open };
}

async function ask(bus: Bus, subject: string, payload: string, version?: string): Promise<Msg> {
  const sent = headers();
  if (version !== undefined) sent.set('Baton-Version', version);
  return bus.connection.request(subject, payload, { timeout: 2_000, headers: sent });
}

describe('RequestReplyStrategy', () => {
  it('hands the body and its context to the handler and answers what it returns', async () => {
    await serve();
    const agent = await openBus('a1');
    const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
    const answer = await agent.request('agent.a1.hello', { n: 1 }, { timeoutMs: 2_000, traceparent });
    expect(answer).toEqual({ ok: true, from: 'agent.a1.hello' });
    expect(seen).toMatchObject([{ body: { n: 1 }, context: { subject: 'agent.a1.hello', traceparent } }]);
  });

  it('sends the trace context back', async () => {
    await serve();
    const agent = await openBus('a1');
    const sent = headers();
    sent.set('traceparent', 'the-context');
    const answer = await agent.connection.request('agent.a1.hello', '{}', { timeout: 2_000, headers: sent });
    expect(answer.headers?.get('traceparent')).toBe('the-context');
  });

  it('answers a DomainError as it is, with headers', async () => {
    const { lines } = await serve();
    const answer = await ask(await openBus('svc-other'), 'svc.refuse', '{}');
    expect(answer.json()).toEqual({
      ok: false,
      error: {
        code: 'AGENT_AT_CAPACITY',
        message: 'no free slot',
        retryable: true,
        retryAfterMs: 20,
        details: { held: 5 },
      },
    });
    expect(answer.headers?.get('Nats-Service-Error-Code')).toBe('409');
    expect(answer.headers?.get('Nats-Service-Error')).toBe('AGENT_AT_CAPACITY');
    expect(lines.filter(({ level }) => level > 30)).toEqual([]);
  });

  it.each(['svc.break', 'svc.huge'])(
    'answers INTERNAL to %s, logs the reason and does not tell it',
    async (subject) => {
      const { lines } = await serve();
      const answer = await ask(await openBus('svc-other'), subject, '{}');
      expect(answer.json()).toMatchObject({ ok: false, error: { code: 'INTERNAL', retryable: false } });
      expect(answer.string()).not.toContain('secret');
      expect(lines.filter(({ level }) => level === 50)).toMatchObject([{ subject }]);
    },
  );

  it('lets a guard refuse', async () => {
    await serve();
    const answer = await ask(await openBus('svc-other'), 'svc.guarded', '{}');
    expect(answer.json()).toMatchObject({ ok: false, error: { code: 'FORBIDDEN', message: 'not you' } });
  });

  it.each(['{', '', 'x'])('refuses the body %j', async (payload) => {
    await serve();
    const answer = await ask(await openBus('a1'), 'agent.a1.hello', payload);
    expect(answer.json()).toMatchObject({ ok: false, error: { code: 'VALIDATION_FAILED' } });
    expect(seen).toEqual([]);
  });

  it('refuses another protocol version and takes the own one', async () => {
    await serve();
    const agent = await openBus('a1');
    const refused = await ask(agent, 'agent.a1.hello', '{}', '2');
    expect(refused.json()).toMatchObject({ ok: false, error: { code: 'UNSUPPORTED_VERSION' } });
    expect(seen).toEqual([]);
    expect((await ask(agent, 'agent.a1.hello', '{}', '1')).json()).toMatchObject({ ok: true });
  });

  it('ignores an agent that wants the answer sent elsewhere than to its inbox', async () => {
    const { bus, lines } = await serve();
    const victim: unknown[] = [];
    bus.subscribe('svc.victim', (body) => victim.push(body));
    bus.subscribe('_INBOX.a2.x', (body) => victim.push(body));
    const agent = await openBus('a1');
    await bus.connection.flush();
    agent.connection.publish('agent.a1.hello', '{}', { reply: 'svc.victim' });
    agent.connection.publish('agent.a1.hello', '{}', { reply: '_INBOX.a2.x' });
    agent.connection.publish('agent.a1.hello', '{', { reply: '_INBOX.a12' });
    await until(() => lines.filter(({ msg }) => msg.includes('not an inbox')).length === 3);
    expect(await agent.request('agent.a1.hello', {}, { timeoutMs: 2_000 })).toMatchObject({ ok: true });
    expect([seen.length, victim]).toEqual([1, []]);
  });

  it('serves a message without a reply subject', async () => {
    await serve();
    const agent = await openBus('a1');
    agent.connection.publish('agent.a1.hello', '{"n":1}');
    await until(() => seen.length === 1);
    expect(seen[0]?.body).toEqual({ n: 1 });
  });

  it('shares the requests of a queue group between replicas', async () => {
    await serve('svc-task-1');
    await serve('svc-task-2');
    const agent = await openBus('a1');
    await Promise.all(
      Array.from({ length: 50 }, (_, n) => agent.request('agent.a1.hello', { n }, { timeoutMs: 2_000 })),
    );
    expect(seen).toHaveLength(50);
  });

  it('refuses what exceeds its bound, then serves again', async () => {
    await serve();
    const { open } = holdBack();
    const other = await openBus('svc-other');
    const inWork = [1, 2].map((n) => other.request('svc.slow', n, { timeoutMs: 5_000 }));
    await until(() => seen.length === 2);
    expect(await other.request('svc.slow', 3, { timeoutMs: 5_000 })).toMatchObject({
      ok: false,
      error: { code: 'UNAVAILABLE', retryable: true, retryAfterMs: 250, details: { reason: 'overloaded' } },
    });
    open();
    expect(await Promise.all(inWork)).toEqual([{ done: 1 }, { done: 2 }]);
    expect(await other.request('svc.slow', 4, { timeoutMs: 5_000 })).toEqual({ done: 4 });
  });

  it('finishes and answers requests in work before it closes, and takes no new ones', async () => {
    const { close } = await serve();
    const { open } = holdBack();
    const other = await openBus('svc-other');
    const inWork = other.request('svc.slow', 1, { timeoutMs: 5_000 });
    await until(() => seen.length === 1);
    let closed = false;
    const closes = close().then(() => {
      closed = true;
    });
    await until(async () => {
      const answer = await other
        .request('svc.slow', 2, { timeoutMs: 1_000 })
        .catch((error: unknown) => error);
      return answer instanceof DomainError && answer.details?.['reason'] === 'no_responders';
    });
    expect(closed).toBe(false);
    open();
    expect(await inWork).toEqual({ done: 1 });
    await closes;
  });

  it('does not wait for ever for a handler that hangs', async () => {
    const { logger, lines } = keepingLogger();
    const bus = await openBus('svc-task', nats, logger);
    seen.length = 0;
    const { open } = holdBack();
    const close = await startService(new RequestReplyStrategy(bus, logger, { drainMs: 30 }), TestController);
    const other = await openBus('svc-other');
    await bus.connection.flush();
    const inWork = other.request('svc.slow', 1, { timeoutMs: 5_000 });
    await until(() => seen.length === 1);
    await close();
    expect(lines.filter(({ msg }) => msg.includes('deadline'))).toMatchObject([{ inFlight: 1 }]);
    open();
    await inWork;
  });

  it('serves once NATS is there when that was down at the start', async () => {
    const { bus, close } = await serve('svc-task', await freeAddress());
    expect(bus.isConnected()).toBe(false);
    await close();
    await nats.stop();
    const late = await serve();
    await nats.restart('kept');
    await until(() => late.bus.isConnected());
    const agent = await openBus('a1');
    expect(await agent.request('agent.a1.hello', {}, { timeoutMs: 2_000 })).toMatchObject({ ok: true });
  });

  it('refuses two handlers for one subject', async () => {
    @Controller()
    class Doubled {
      @Replies('svc.same', { queue: 'q' })
      async one(): Promise<object> {
        return {};
      }

      @Replies('svc.same', { queue: 'q' })
      async two(): Promise<object> {
        return {};
      }
    }
    const bus = await openBus('svc-task');
    const strategy = new RequestReplyStrategy(bus, keepingLogger().logger);
    await expect(startService(strategy, Doubled)).rejects.toThrow('two handlers for svc.same');
  });
});
