import { AckPolicy, DeliverPolicy, jetstreamManager } from '@nats-io/jetstream';
import type { ConsumerConfig, ConsumerInfo, JetStreamManager } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { Bus } from './bus.js';
import type { ConsumesEventsOptions } from './handlers.js';
import { isNotFound } from './nats.errors.js';
import { ensureStreams } from './streams.js';

/**
 * Makes the durable consumer, or changes it where it differs; a missing stream is made first. `created` of the
 * answer changes only when the consumer was made anew.
 */
export async function ensureConsumer(bus: Bus, options: ConsumesEventsOptions): Promise<ConsumerInfo> {
  const { stream, durable } = options;
  const manager = await jetstreamManager(bus.connection, { checkAPI: false });
  const wanted = consumerConfig(options);
  // Not just added, which would be idempotent too: the first answer to an add after a restart of the server gives
  // the time of the restart as `created`, and an add can fail where a consumer is in use (both seen with 2.15.1).
  const found = await findConsumer(manager, options);
  if (found && !differs(found.config, wanted)) return found;
  if (found) await manager.consumers.update(stream, durable, wanted);
  else await addConsumer(bus, manager, options);
  return manager.consumers.info(stream, durable);
}

async function findConsumer(
  manager: JetStreamManager,
  { stream, durable }: ConsumesEventsOptions,
): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(stream, durable);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function addConsumer(
  bus: Bus,
  manager: JetStreamManager,
  options: ConsumesEventsOptions,
): Promise<void> {
  try {
    await manager.consumers.add(options.stream, consumerConfig(options));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await ensureStreams(bus);
    await manager.consumers.add(options.stream, consumerConfig(options));
  }
}

type WantedConsumer = ReturnType<typeof consumerConfig>;

function consumerConfig({ durable, subjects }: ConsumesEventsOptions) {
  return {
    durable_name: durable,
    filter_subjects: [...subjects],
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(30_000),
    // Over all replicas. Messages that wait out a nak count too, so well above what handlers have in work.
    max_ack_pending: 1_000,
    // Deliveries are counted by the ack policy: past a limit of its own the server would only fall silent.
    max_deliver: -1,
  };
}

function differs(current: ConsumerConfig, wanted: WantedConsumer): boolean {
  const { filter_subjects: subjects, ...rest } = wanted;
  const known = new Set(current.filter_subjects ?? [current.filter_subject]);
  if (known.size !== subjects.length || subjects.some((subject) => !known.has(subject))) return true;
  return (Object.keys(rest) as (keyof typeof rest)[]).some((key) => current[key] !== rest[key]);
}
