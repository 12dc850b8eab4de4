import { setTimeout as delay } from 'node:timers/promises';
import { agentOfSubject, DomainError, HEADERS, PROTOCOL_VERSION } from '@baton/contracts';
import type { CustomTransportStrategy, MessageHandler } from '@nestjs/microservices';
import { headers } from '@nats-io/transport-node';
import type { Msg } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Bus } from './bus.js';
import { requestSeconds, secondsSince } from './bus.metrics.js';
import { BusStrategy } from './bus.strategy.js';
import { REQUEST_REPLY, type BusContext, type RepliesOptions } from './handlers.js';
import type { Listening } from './link.js';
import { mayReplyTo } from './reply-guard.js';
import { templateOf, tracedProcess } from './traced.js';

type Endpoint = {
  readonly handler: MessageHandler;
  readonly template: string;
  readonly maxInFlight: number;
  inFlight: number;
};

const defaultMaxInFlight = 1_000;
const overloadRetryAfterMs = 250;

type RequestReplyOptions = {
  /** Bounds how long `close` waits for requests in work; default 10 s. */
  readonly drainMs?: number;
  /** Gives errors of a service's libraries their place in the catalogue. */
  readonly translate?: (error: unknown) => unknown;
  /** Throws for a subject that may not be listened to: then nothing is. */
  readonly expectSubject?: (subject: string) => unknown;
  /** Throws for a request that is not to be taken, before anything of it is read. */
  readonly admit?: (subject: string) => void;
};

/** Serves methods marked `@Replies`: plain JSON requests over core NATS, each answered or refused. */
export class RequestReplyStrategy extends BusStrategy implements CustomTransportStrategy {
  override readonly transportId = REQUEST_REPLY;
  readonly #log: Logger;
  readonly #drainMs: number;
  readonly #translate: (error: unknown) => unknown;
  readonly #expectSubject: (subject: string) => unknown;
  readonly #admit: (subject: string) => void;
  readonly #listenings: Listening[] = [];
  #inFlight = 0;
  #idle: (() => void) | undefined;

  constructor(bus: Bus, logger: Logger, options: RequestReplyOptions = {}) {
    super(bus);
    this.#log = logger;
    this.#drainMs = options.drainMs ?? 10_000;
    this.#translate = options.translate ?? ((error) => error);
    this.#expectSubject = options.expectSubject ?? (() => undefined);
    this.#admit = options.admit ?? (() => undefined);
  }

  listen(callback: () => void): void {
    for (const subject of this.messageHandlers.keys()) this.#expectSubject(subject);
    for (const [subject, handler] of this.messageHandlers) {
      const { queue, maxInFlight = defaultMaxInFlight } = handler.extras as RepliesOptions;
      const endpoint: Endpoint = { handler, template: templateOf(subject), maxInFlight, inFlight: 0 };
      this.#listenings.push(
        this.bus.listen(subject, (message) => this.#receive(endpoint, message), { queue }),
      );
    }
    callback();
  }

  /** Takes no new requests and waits for those in work, up to the deadline. */
  async close(): Promise<void> {
    const deadline = new AbortController();
    const drained = Promise.all(this.#listenings.splice(0).map((listening) => listening.drain())).then(() =>
      this.#untilIdle(),
    );
    const late = delay(this.#drainMs, 'late' as const, { signal: deadline.signal }).catch(() => undefined);
    if ((await Promise.race([drained, late])) === 'late') {
      this.#log.warn({ inFlight: this.#inFlight }, 'requests were still in work at the shutdown deadline');
    }
    deadline.abort();
  }

  /** Must not throw: the NATS client's reader would end. */
  #receive(endpoint: Endpoint, message: Msg): void {
    const { subject, reply } = message;
    if (!mayReplyTo(reply, subject)) {
      this.#log.warn(
        { subject, reply },
        'ignored a request whose reply subject is not an inbox of its agent',
      );
      return;
    }
    try {
      if (endpoint.inFlight >= endpoint.maxInFlight) throw overloaded(subject, endpoint.maxInFlight);
      this.#admit(subject);
    } catch (error) {
      const code = this.#refuse(message, error);
      requestSeconds.observe({ subject: endpoint.template, code }, 0);
      return;
    }
    endpoint.inFlight += 1;
    this.#inFlight += 1;
    void this.#serve(endpoint, message).finally(() => {
      endpoint.inFlight -= 1;
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#idle?.();
    });
  }

  async #serve(endpoint: Endpoint, message: Msg): Promise<void> {
    const begunAt = performance.now();
    let code = 'ok';
    try {
      const sent = message.headers;
      refuseOtherVersion(sent?.get(HEADERS.version));
      const body = parseBody(message);
      const traceparent = sent?.get(HEADERS.traceparent) || undefined;
      const context: BusContext = { subject: message.subject, traceparent, headers: sent };
      const { subject } = message;
      const of = () => contextsOf(body);
      const answer = await tracedProcess({ subject, traceparent, of }, () =>
        this.call(endpoint.handler, body, context),
      );
      this.#send(message, JSON.stringify(answer ?? { ok: true }), traceparent);
    } catch (error) {
      code = this.#refuse(message, error);
    }
    requestSeconds.observe({ subject: endpoint.template, code }, secondsSince(begunAt));
  }

  #send(message: Msg, body: string, traceparent: string | undefined): void {
    if (!message.reply || !this.bus.isConnected()) return;
    if (traceparent === undefined) return this.bus.connection.publish(message.reply, body);
    const answered = headers();
    answered.set(HEADERS.traceparent, traceparent);
    this.bus.connection.publish(message.reply, body, { headers: answered });
  }

  /** Gives the code it is refused with. */
  #refuse(message: Msg, error: unknown): string {
    const translated = this.#translate(error);
    const refusal = translated instanceof DomainError ? translated : this.#internal(message, error);
    if (!message.reply || !this.bus.isConnected()) return refusal.code;
    try {
      const answered = headers();
      answered.set(HEADERS.errorCode, String(refusal.status));
      answered.set(HEADERS.error, refusal.code);
      const body = JSON.stringify({ ok: false, error: refusal.toBody() });
      this.bus.connection.publish(message.reply, body, { headers: answered });
    } catch (failure) {
      this.#log.error({ err: failure, subject: message.subject }, 'could not answer a request');
    }
    return refusal.code;
  }

  #internal(message: Msg, error: unknown): DomainError {
    const { subject } = message;
    const agent = subject.startsWith('agent.') ? { agent_id: agentOfSubject(subject) } : {};
    this.#log.error({ err: error, subject, ...agent }, 'a request handler failed');
    return new DomainError('INTERNAL', 'something broke inside Baton; its log tells what');
  }

  #untilIdle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }
}

function refuseOtherVersion(version: string | undefined): void {
  if (version === undefined || version === '' || version === PROTOCOL_VERSION) return;
  throw new DomainError(
    'UNSUPPORTED_VERSION',
    `expected header ${HEADERS.version}: ${PROTOCOL_VERSION}, got ${JSON.stringify(version)}`,
  );
}

/** Several commands in one message carry their contexts each. */
function contextsOf(body: unknown): readonly (string | undefined)[] {
  const { items } = (body ?? {}) as { readonly items?: unknown };
  if (!Array.isArray(items)) return [];
  return items.map((item: { readonly traceparent?: unknown } | null) =>
    typeof item?.traceparent === 'string' ? item.traceparent : undefined,
  );
}

function parseBody(message: Msg): unknown {
  const text = message.string();
  try {
    return JSON.parse(text);
  } catch (error) {
    const got = text === '' ? 'nothing' : JSON.stringify(text.slice(0, 100));
    throw new DomainError('VALIDATION_FAILED', `expected JSON as the request, got ${got}`, { cause: error });
  }
}

function overloaded(subject: string, maxInFlight: number): DomainError {
  return new DomainError('UNAVAILABLE', `${subject}: more than ${maxInFlight} requests in work; try again`, {
    retryAfterMs: overloadRetryAfterMs,
    details: { reason: 'overloaded' },
  });
}
