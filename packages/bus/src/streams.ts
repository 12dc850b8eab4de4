import { STREAM_LIMITS, STREAMS, type StreamName } from '@baton/contracts';
import {
  DiscardPolicy,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { Bus } from './bus.js';
import { isNotFound, toPublishError, unavailable } from './nats.errors.js';

const running = new WeakMap<Bus, Promise<void>>();

/**
 * Makes the streams of the contracts, or changes them where they differ; replicas may race. Calls that overlap on
 * one bus share one run. Rejects with `UNAVAILABLE` when the server cannot or will not do it now.
 */
export function ensureStreams(bus: Bus): Promise<void> {
  const known = running.get(bus);
  if (known) return known;
  const run = ensureAll(bus).finally(() => running.delete(bus));
  running.set(bus, run);
  return run;
}

async function ensureAll(bus: Bus): Promise<void> {
  try {
    const manager = await jetstreamManager(bus.connection, { checkAPI: false });
    for (const name of Object.keys(STREAMS) as StreamName[]) await ensureStream(manager, name);
  } catch (error) {
    throw toPublishError(error, 'streams');
  }
}

async function ensureStream(manager: JetStreamManager, name: StreamName): Promise<void> {
  const wanted = streamConfig(name);
  const current = (await findStream(manager, name)) ?? (await addStream(manager, wanted));
  if (!differs(current, wanted)) return;
  try {
    await manager.streams.update(name, wanted);
  } catch (error) {
    throw refusal(
      error,
      `stream ${name} differs from what Baton needs and the server will not change it; delete the stream: ` +
        'it is made again and healed from Postgres',
    );
  }
}

async function addStream(manager: JetStreamManager, wanted: WantedStream): Promise<StreamConfig> {
  try {
    return (await manager.streams.add(wanted)).config;
  } catch (error) {
    // Another replica was faster. The server says so, or, since a request in flight reserves its storage again,
    // that there is no room; so it is asked rather than its error read.
    const made = await findStream(manager, wanted.name);
    if (made) return made;
    const gibibytes = STREAM_LIMITS.maxBytes / 1024 ** 3;
    throw refusal(
      error,
      `stream ${wanted.name} cannot be made; JetStream needs ${gibibytes} GiB of file storage for each of the ` +
        `${Object.keys(STREAMS).length} streams`,
    );
  }
}

function refusal(error: unknown, message: string): unknown {
  if (!(error instanceof JetStreamApiError)) return error;
  return unavailable('refused', `${message} (${error.message})`, error);
}

async function findStream(manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(name)).config;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

type WantedStream = ReturnType<typeof streamConfig>;

function streamConfig(name: StreamName) {
  return {
    name,
    subjects: [...STREAMS[name].subjects],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(STREAM_LIMITS.maxAgeMs),
    max_bytes: STREAM_LIMITS.maxBytes,
    duplicate_window: nanos(STREAM_LIMITS.duplicateWindowMs),
  };
}

/** Only what Baton sets is compared: the number of replicas, placement and the like are the operator's. */
function differs(current: StreamConfig, wanted: WantedStream): boolean {
  const { subjects, ...limits } = wanted;
  const known = new Set(current.subjects);
  if (known.size !== subjects.length || subjects.some((subject) => !known.has(subject))) return true;
  return (Object.keys(limits) as (keyof typeof limits)[]).some((key) => current[key] !== limits[key]);
}
