import { jetstreamManager, type ConsumerInfo } from '@nats-io/jetstream';
import { Gauge, Histogram } from 'prom-client';
import type { Bus } from './bus.js';
import type { ConsumesEventsOptions } from './handlers.js';

const buckets = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

/** Of subjects without ids, and of codes of the catalogue. */
export const requestSeconds = new Histogram({
  name: 'baton_nats_request_duration_seconds',
  help: 'Time to answer requests over NATS, by subject and by `ok` or the code of the refusal',
  labelNames: ['subject', 'code'] as const,
  buckets,
});

export const eventSeconds = new Histogram({
  name: 'baton_nats_event_duration_seconds',
  help: 'Time to handle a message of events, by what was answered: ack, nak (again later), term (given up)',
  labelNames: ['durable', 'subject', 'outcome'] as const,
  buckets,
});

export const publishSeconds = new Histogram({
  name: 'baton_nats_publish_duration_seconds',
  help: 'Time until JetStream had stored a message of events, or refused it, by outcome: ok, error',
  labelNames: ['subject', 'outcome'] as const,
  buckets,
});

/** Seconds since a `performance.now()`. */
export function secondsSince(begunAt: number): number {
  return (performance.now() - begunAt) / 1_000;
}

type Watched = Pick<ConsumesEventsOptions, 'stream' | 'durable'> & { readonly bus: Bus };

const ANSWER_MS = 1_000;
const watched = new Set<Watched>();

/** Shows how far a durable is behind at every scrape; returns what ends that. */
export function watchLag(consumer: Watched): () => void {
  watched.add(consumer);
  return () => watched.delete(consumer);
}

const unacknowledged = new Gauge({
  name: 'baton_nats_consumer_unacknowledged',
  help: 'Messages of a durable that are delivered and not yet answered; the same from every replica',
  labelNames: ['durable'] as const,
});

new Gauge({
  name: 'baton_nats_consumer_pending',
  help: 'Messages of a durable that are still to be delivered; the same from every replica',
  labelNames: ['durable'] as const,
  async collect() {
    this.reset();
    unacknowledged.reset();
    await Promise.all(
      [...watched].map(async (consumer) => {
        // What does not answer has no figure rather than an old one.
        const info = await lookAt(consumer).catch(() => undefined);
        if (info === undefined) return;
        this.set({ durable: consumer.durable }, info.num_pending);
        unacknowledged.set({ durable: consumer.durable }, info.num_ack_pending);
      }),
    );
  },
});

async function lookAt({ bus, stream, durable }: Watched): Promise<ConsumerInfo | undefined> {
  if (!bus.isConnected()) return undefined;
  const manager = await jetstreamManager(bus.connection, { checkAPI: false, timeout: ANSWER_MS });
  return manager.consumers.info(stream, durable);
}
