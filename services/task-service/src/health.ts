import { checkNats, type JetStreamStrategy } from '@baton/bus';
import type { Health } from '@baton/runtime';
import { expectMigrated } from './database/migrate.js';
import { oldestOutboxSeconds } from './outbox/outbox.store.js';
import type { Services } from './services.js';

/** The sweeper takes rows of 2 s; what is this old has been tried many times. */
const OUTBOX_SECONDS = 30;

/**
 * Without NATS tasks are still created, read and changed over HTTP, so that trouble with it is only told: taking every
 * replica out of service would make an outage of the bus one of the API.
 */
export function healthOf({ dataSource, pool, bus }: Services, events: JetStreamStrategy): Health {
  return {
    checks: {
      // Over the data source's few connections, which lists alone use: a busy write path is no reason to leave.
      postgres: async () => void (await dataSource.query('SELECT 1')),
      migrations: () => expectMigrated(dataSource),
    },
    warnings: {
      nats: () => checkNats(bus),
      reactors: () => {
        if (!events.isConsuming()) throw new Error('the consumer of task events is not being read');
      },
      outbox: async () => {
        const seconds = Math.round(await oldestOutboxSeconds(pool));
        if (seconds > OUTBOX_SECONDS) throw new Error(`the oldest unpublished event is ${seconds} s old`);
      },
    },
  };
}
