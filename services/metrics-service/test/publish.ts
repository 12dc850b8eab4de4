import { randomUUID } from 'node:crypto';
import { connectBus, ensureStreams, type Bus } from '@baton/bus';
import type { TaskEvent } from '@baton/contracts';
import type { Nats } from '@baton/testkit';
import { pino } from 'pino';

/** A bus with the streams made. */
export async function connectTestBus({ url, access }: Nats): Promise<Bus> {
  const logger = pino({ level: 'silent' });
  const bus = await connectBus({
    servers: url,
    name: 'test',
    inboxPrefix: '_INBOX.test',
    credentials: await access.operator(),
    logger,
  });
  await ensureStreams(bus);
  return bus;
}

/** Publishes as task-service does: a message holds events of one type. */
export async function publish(bus: Bus, events: readonly TaskEvent[]): Promise<void> {
  const types = new Set(events.map((event) => event.type));
  for (const type of types) {
    const batch = events.filter((event) => event.type === type);
    await bus.publishEvents(type, randomUUID(), JSON.stringify(batch));
  }
}
