import { AckPolicy, DeliverPolicy, JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import type { ConsumerInfo } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { Bus } from './bus.js';
import type { ConsumesEventsOptions } from './handlers.js';
import { ensureStreams, isStreamNotFound } from './streams.js';

/** The durable is there with another configuration. */
const CONSUMER_EXISTS = 10_148;

/** Makes the durable consumer, or changes it where it differs; a missing stream is made first. */
export async function ensureConsumer(bus: Bus, options: ConsumesEventsOptions): Promise<ConsumerInfo> {
  try {
    return await addConsumer(bus, options);
  } catch (error) {
    if (!isStreamNotFound(error)) throw error;
    await ensureStreams(bus);
    return addConsumer(bus, options);
  }
}

async function addConsumer(bus: Bus, options: ConsumesEventsOptions): Promise<ConsumerInfo> {
  const manager = await jetstreamManager(bus.connection, { checkAPI: false });
  const config = {
    durable_name: options.durable,
    filter_subjects: [...options.subjects],
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(30_000),
    // Over all replicas. Messages that wait out a nak count too, so well above what handlers have in work.
    max_ack_pending: 1_000,
    // Deliveries are counted by the ack policy: past a limit of its own the server would only fall silent.
    max_deliver: -1,
  };
  try {
    return await manager.consumers.add(options.stream, config);
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== CONSUMER_EXISTS) throw error;
    return manager.consumers.update(options.stream, options.durable, config);
  }
}
