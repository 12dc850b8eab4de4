import { setTimeout as delay } from 'node:timers/promises';
import { HEADERS, STREAMS, type StreamName } from '@baton/contracts';
import type { JsMsg } from '@nats-io/jetstream';
import type { CustomTransportStrategy, MessageHandler } from '@nestjs/microservices';
import type { Logger } from 'pino';
import { ackPolicy } from './ack.policy.js';
import type { Bus } from './bus.js';
import { eventSeconds, secondsSince, watchLag } from './bus.metrics.js';
import { BusStrategy } from './bus.strategy.js';
import { startConsumerLoop, type ConsumerLoop } from './consumer-loop.js';
import { readEventBatch } from './event-batch.js';
import { tracedProcess } from './traced.js';
import { JETSTREAM, type BusContext, type ConsumesEventsOptions } from './handlers.js';

/** A message that was ended without success, for whoever keeps such records. */
export type PoisonRecord = {
  readonly stream: StreamName;
  readonly durable: string;
  readonly seq: number;
  readonly subject: string;
  readonly reason: string;
  readonly deliveryCount: number;
  /** At most the first 2 KiB, without NUL, which Postgres cannot store. */
  readonly payload: string;
};

export type JetStreamStrategyOptions = {
  /** Called before a message is ended. When it fails, the message comes again instead. */
  readonly onPoison?: (record: PoisonRecord) => void | Promise<void>;
  /** Called when a consumer had to be made again: what was in the stream may be lost, so heal from Postgres. */
  readonly onReset?: (consumer: { stream: StreamName; durable: string }) => void | Promise<void>;
  /** How long `close` waits for messages in work; default 10 s. */
  readonly drainMs?: number;
};

const defaultMaxInFlight = 16;
const poisonPayloadBytes = 2 * 1024;
const retryRecordMs = 5_000;

/** Serves methods marked `@ConsumesEvents`: durable pull consumers with explicit acknowledgement. */
export class JetStreamStrategy extends BusStrategy implements CustomTransportStrategy {
  override readonly transportId = JETSTREAM;
  readonly #log: Logger;
  readonly #options: JetStreamStrategyOptions;
  #loops: readonly ConsumerLoop[] = [];
  readonly #forget: (() => void)[] = [];

  constructor(bus: Bus, logger: Logger, options: JetStreamStrategyOptions = {}) {
    super(bus);
    this.#log = logger;
    this.#options = options;
  }

  /** Begins to consume in the background: a service starts, and stays up, while NATS is down. */
  listen(callback: () => void): void {
    this.#loops = [...this.messageHandlers.values()].map((handler) => this.#startLoop(handler));
    callback();
  }

  /** Whether every declared consumer is being pulled from now, for readiness checks. */
  isConsuming(): boolean {
    return (
      this.#loops.length === this.messageHandlers.size && this.#loops.every((loop) => loop.isConsuming())
    );
  }

  /** Pulls no more and waits for messages in work, up to the deadline; what was fetched but not begun goes back. */
  async close(): Promise<void> {
    for (const forget of this.#forget.splice(0)) forget();
    const deadline = new AbortController();
    const stopped = Promise.all(this.#loops.map((loop) => loop.stop()));
    const late = delay(this.#options.drainMs ?? 10_000, 'late' as const, { signal: deadline.signal });
    if ((await Promise.race([stopped, late.catch(() => undefined)])) === 'late') {
      const inFlight = this.#loops.reduce((sum, loop) => sum + loop.inFlight(), 0);
      this.#log.warn({ inFlight }, 'event messages were still in work at the shutdown deadline');
    }
    deadline.abort();
    this.#loops = [];
  }

  #startLoop(handler: MessageHandler): ConsumerLoop {
    const options = handler.extras as ConsumesEventsOptions;
    const consumer = { ...options, maxInFlight: options.maxInFlight ?? defaultMaxInFlight };
    refuseStrangers(consumer);
    this.#forget.push(watchLag({ bus: this.bus, stream: consumer.stream, durable: consumer.durable }));
    return startConsumerLoop({
      bus: this.bus,
      logger: this.#log,
      consumer,
      handle: (message, isCurrent) => this.#handle(handler, consumer, message, isCurrent),
      onReset: () => void this.#reset(consumer),
    });
  }

  /** Never rejects. */
  async #handle(
    handler: MessageHandler,
    consumer: ConsumesEventsOptions,
    message: JsMsg,
    isCurrent: () => boolean,
  ): Promise<void> {
    const batch = readEventBatch(consumer.stream, message.subject, message.string());
    const { deliveryCount } = message.info;
    const begunAt = performance.now();
    let outcome: string = batch.ok ? 'ack' : 'term';
    try {
      if (!batch.ok) return await this.#end(consumer, message, batch.reason, isCurrent);
      const traceparent = message.headers?.get(HEADERS.traceparent) || undefined;
      const { subject, headers } = message;
      const context: BusContext = { subject, traceparent, headers, deliveryCount };
      const of = () => batch.events.map((event) => ('traceparent' in event ? event.traceparent : undefined));
      const group = consumer.durable;
      await tracedProcess({ subject, traceparent, of, group, deliveryCount }, () =>
        this.call(handler, batch.events, context),
      );
      if (isCurrent()) message.ack();
    } catch (error) {
      const verdict = ackPolicy(error, deliveryCount);
      outcome = verdict.action;
      const about = { err: error, subject: message.subject, seq: message.seq, deliveryCount, ...verdict };
      this.#log.warn({ ...about, durable: consumer.durable }, 'an event handler failed');
      if (verdict.action === 'term') await this.#end(consumer, message, verdict.reason, isCurrent);
      else if (isCurrent()) message.nak(verdict.delayMs);
    } finally {
      const { durable } = consumer;
      eventSeconds.observe({ durable, subject: message.subject, outcome }, secondsSince(begunAt));
    }
  }

  /** Records the message, then tells the server never to deliver it again. Never rejects. */
  async #end(
    consumer: ConsumesEventsOptions,
    message: JsMsg,
    reason: string,
    isCurrent: () => boolean,
  ): Promise<void> {
    const record = poisonRecord(consumer, message, reason);
    const { payload: _, ...about } = record;
    try {
      await this.#options.onPoison?.(record);
      this.#log.error(about, 'ended an event message that cannot be handled');
      if (isCurrent()) message.term(this.#termReason(reason));
    } catch (error) {
      this.#log.error({ err: error, ...about }, 'could not record an event message that cannot be handled');
      if (isCurrent()) message.nak(retryRecordMs);
    }
  }

  // A server before 2.11 does not know a term with a reason and would deliver the message for ever.
  #termReason(reason: string): string | undefined {
    const [major = 0, minor = 0] = (this.bus.connection.info?.version ?? '').split('.').map(Number);
    const knowsReasons = major > 2 || (major === 2 && minor >= 11);
    return knowsReasons ? reason.slice(0, 200) : undefined;
  }

  async #reset({ stream, durable }: ConsumesEventsOptions): Promise<void> {
    try {
      await this.#options.onReset?.({ stream, durable });
    } catch (error) {
      this.#log.error({ err: error, stream, durable }, 'healing after a stream reset failed');
    }
  }
}

function refuseStrangers({ stream, durable, subjects }: ConsumesEventsOptions): void {
  const known: ReadonlySet<string> = new Set(STREAMS[stream].subjects);
  const stranger = subjects.find((subject) => !known.has(subject));
  if (stranger) throw new Error(`consumer ${durable}: stream ${stream} has no subject ${stranger}`);
}

function poisonRecord(consumer: ConsumesEventsOptions, message: JsMsg, reason: string): PoisonRecord {
  return {
    stream: consumer.stream,
    durable: consumer.durable,
    seq: message.seq,
    subject: message.subject,
    reason,
    deliveryCount: message.info.deliveryCount,
    payload: new TextDecoder()
      .decode(message.data.subarray(0, poisonPayloadBytes))
      .replaceAll('\0', '\u{FFFD}'),
  };
}
