import { setTimeout as delay } from 'node:timers/promises';
import {
  AckPolicy,
  DeliverPolicy,
  jetstreamManager,
  type ConsumerMessages,
  type JsMsg,
} from '@nats-io/jetstream';
import { nanos, nuid } from '@nats-io/transport-node';
import type { StreamName } from '@baton/contracts';
import type { Logger } from 'pino';
import type { Bus } from './bus.js';
import { readEventBatch, type EventBatch } from './event-batch.js';

type FollowedStream = {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly stream: StreamName;
  /** From which sequence to follow this stream, which was made at `created` and ends at `last`. */
  readonly from: (state: StreamState) => number;
  /** The events of each message, in order and without gaps from there on. Must not throw. */
  readonly receive: (sequence: number, events: EventBatch) => void;
};

export type StreamState = { readonly created: string; readonly first: number; readonly last: number };

/** How long a consumer outlives a process that was killed. */
const FORGOTTEN_AFTER_MS = 30_000;
const PAUSE_MS = 500;
const TROUBLES = new Set(['heartbeats_missed', 'consumer_not_found', 'consumer_deleted', 'stream_not_found']);

/**
 * Reads a stream alone, beside the durable consumers that replicas share, from memory of the server and without
 * acknowledgements: each reader gets everything. A message that is missing in the order, a lost connection or a
 * consumer that is gone begins a new consumer where the old one stopped. Returns stop().
 *
 * Not the client's own ordered consumer: that one deletes consumers, which no service may.
 */
export function followStream({ bus, logger, stream, from, receive }: FollowedStream): () => void {
  const stopping = new AbortController();
  let pulled: ConsumerMessages | undefined;
  let made: string | undefined;
  let next = 0;
  const forget = bus.onConnected(() => pulled?.stop());
  void run();
  return () => {
    stopping.abort();
    forget();
    pulled?.stop();
  };

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await follow();
      } catch (error) {
        if (bus.isConnected()) logger.warn({ err: error, stream }, 'cannot follow the stream; trying again');
      }
      pulled = undefined;
      await delay(PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  async function follow(): Promise<void> {
    const manager = await jetstreamManager(bus.connection, { checkAPI: false });
    const { created, state } = await manager.streams.info(stream);
    if (stopping.signal.aborted) return;
    // Made anew, put back to an older copy, or gone on without us for longer than it keeps.
    if (created !== made || next > state.last_seq + 1 || next < state.first_seq) {
      made = created;
      next = from({ created, first: state.first_seq, last: state.last_seq });
    }
    const info = await manager.consumers.add(stream, {
      name: `live-${nuid.next()}`,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(next, 1),
      inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
      mem_storage: true,
    });
    const messages = await bus.jetstream.consumers
      .getConsumerFromInfo(info)
      .consume({ max_messages: 100, idle_heartbeat: 2_000, bind: true });
    pulled = messages;
    void watch(messages);
    if (stopping.signal.aborted) messages.stop();
    let delivered = 0;
    for await (const message of messages) {
      if (stopping.signal.aborted) return;
      delivered += 1;
      if (message.info.deliverySequence !== delivered) return messages.stop();
      take(message);
    }
  }

  function take(message: JsMsg): void {
    next = message.seq + 1;
    const batch = readEventBatch(stream, message.subject, message.string());
    if (batch.ok) receive(message.seq, batch.events);
  }

  async function watch(messages: ConsumerMessages): Promise<void> {
    for await (const { type } of messages.status()) if (TROUBLES.has(type)) messages.stop();
  }
}
