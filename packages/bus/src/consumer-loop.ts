import { setTimeout as delay } from 'node:timers/promises';
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import type { Subscription } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Bus } from './bus.js';
import { ensureConsumer } from './consumer.js';
import type { ConsumesEventsOptions } from './handlers.js';

export type ConsumerLoopOptions = {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly consumer: ConsumesEventsOptions & { readonly maxInFlight: number };
  /**
   * Never rejects. `isCurrent` turns false when the consumer was made anew: sequence numbers start over then, and
   * a late acknowledgement would hit a message of the new one.
   */
  handle(message: JsMsg, isCurrent: () => boolean): Promise<void>;
  /** The consumer was found missing, so its stream may have been too, and is back: events may be lost. */
  onReset(): void;
};

/** One durable consumer, kept alive over disconnects, wiped stores and deleted consumers. */
export type ConsumerLoop = {
  /** Whether messages are being pulled now. */
  isConsuming(): boolean;
  inFlight(): number;
  /** Pulls no more; resolves when every message in work is settled. */
  stop(): Promise<void>;
};

const troubles = new Set(['heartbeats_missed', 'consumer_not_found', 'stream_not_found']);
const firstPauseMs = 250;
const maxPauseMs = 5_000;
const verifyPauseMs = 1_000;

/** Starts in the background: NATS may be down, the stream missing. */
export function startConsumerLoop(options: ConsumerLoopOptions): ConsumerLoop {
  const { bus, consumer } = options;
  const log = options.logger.child({ stream: consumer.stream, durable: consumer.durable });
  const stopping = new AbortController();
  /** When the consumer was made that is, or was last, consumed from; and the one that the server has now. */
  let attachedTo: string | undefined;
  let existing: string | undefined;
  let messages: ConsumerMessages | undefined;
  let verifying = false;
  let inFlight = 0;
  let slotFreed: (() => void) | undefined;
  let woken: (() => void) | undefined;
  const forget = bus.onConnected(() => {
    woken?.();
    void verify();
  });
  const ended = run();

  return {
    isConsuming: () => messages !== undefined && !verifying && !stopping.signal.aborted && bus.isConnected(),
    inFlight: () => inFlight,
    async stop() {
      forget();
      stopping.abort();
      woken?.();
      if (messages) await drain(messages, bus);
      await ended;
      await untilIdle();
    },
  };

  async function run(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!stopping.signal.aborted) {
      if (!bus.isConnected()) await nextConnect();
      if (stopping.signal.aborted) return;
      try {
        await consume();
        pauseMs = firstPauseMs;
        // A consumer made while the server still removes the deleted one of its name would lose its files.
        await pause(firstPauseMs);
      } catch (error) {
        // While disconnected this is no news; the reconnect wakes the loop.
        const text = `cannot consume events; trying again in ${pauseMs} ms`;
        if (bus.isConnected()) log.warn({ err: error }, text);
        await pause(pauseMs);
        pauseMs = Math.min(maxPauseMs, pauseMs * 2);
      }
    }
  }

  /** Returns when the consumer has to be looked at again, or at the stop. */
  async function consume(): Promise<void> {
    const info = await ensureConsumer(bus, consumer);
    if (stopping.signal.aborted) return;
    const isNew = attachedTo !== undefined && attachedTo !== info.created;
    attachedTo = existing = info.created;
    if (isNew) {
      log.warn('the consumer was gone and is made again; events may have been lost');
      options.onReset();
    }
    const isCurrent = (): boolean => existing === info.created;
    const pulled = await bus.jetstream.consumers.getConsumerFromInfo(info).consume({
      // What waits here for a slot waits 30 s more for its next delivery if this process dies: enough to stay
      // busy, no more. (Of messages with one event, 100 gives 24k/s instead of 10k/s; under load they have many.)
      max_messages: Math.max(32, 2 * consumer.maxInFlight),
      idle_heartbeat: 2_000,
      bind: true,
    });
    messages = pulled;
    void watch(pulled);
    if (stopping.signal.aborted) pulled.stop();
    try {
      // The iterator asks for more messages only between turns, so waiting here for a slot is the back-pressure.
      for await (const message of pulled) {
        if (inFlight >= consumer.maxInFlight) await nextFreeSlot();
        if (stopping.signal.aborted) message.nak();
        else start(message, isCurrent);
      }
    } finally {
      messages = undefined;
      pulled.stop();
    }
  }

  function start(message: JsMsg, isCurrent: () => boolean): void {
    inFlight += 1;
    void options.handle(message, isCurrent).finally(() => {
      inFlight -= 1;
      slotFreed?.();
    });
  }

  async function watch(pulled: ConsumerMessages): Promise<void> {
    for await (const status of pulled.status()) {
      if (status.type === 'consumer_deleted') pulled.stop();
      if (troubles.has(status.type)) void verify();
    }
  }

  /** Ends the running pull if its consumer is not the one it began with; else it just goes on. */
  async function verify(): Promise<void> {
    if (verifying) return;
    verifying = true;
    for (;;) {
      if (!messages || !bus.isConnected()) break;
      try {
        existing = (await ensureConsumer(bus, consumer)).created;
        if (existing !== attachedTo) messages?.stop();
        break;
      } catch (error) {
        log.warn({ err: error }, `cannot verify the consumer; trying again in ${verifyPauseMs} ms`);
        await pause(verifyPauseMs);
      }
    }
    verifying = false;
  }

  async function untilIdle(): Promise<void> {
    if (inFlight === 0) return;
    await nextFreeSlot();
    return untilIdle();
  }

  function pause(forMs: number): Promise<void> {
    return delay(forMs, undefined, { signal: stopping.signal }).catch(() => {});
  }

  function nextFreeSlot(): Promise<void> {
    return new Promise((resolve) => {
      slotFreed = resolve;
    });
  }

  function nextConnect(): Promise<void> {
    return new Promise((resolve) => {
      woken = resolve;
    });
  }
}

/**
 * Ends a pull so that what the server has sent by then is still handed over, and can be given back at once. `stop`
 * alone drops it, and each message waits 30 s for its next delivery; the client drains like this itself, but only when
 * the whole connection is drained.
 */
async function drain(pulled: ConsumerMessages, bus: Bus): Promise<void> {
  const { sub } = pulled as ConsumerMessages & { readonly sub?: Pick<Subscription, 'drain'> };
  if (sub === undefined || !bus.isConnected()) pulled.stop();
  // Fails when the connection goes meanwhile; then the server gives the messages to others by itself.
  else await sub.drain().catch(() => pulled.stop());
}
