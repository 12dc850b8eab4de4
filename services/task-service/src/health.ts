import { checkNats } from '@baton/bus';
import type { Health, OpeningDatabase } from '@baton/runtime';
import { expectMigrated } from './database/migrate.js';
import type { Edges } from './edges.js';
import { oldestOutboxSeconds } from './outbox/outbox.store.js';
import type { Services } from './services.js';

/** What runs once the database is open. */
export type Running = { readonly services: Services; readonly edges: Edges };

type Parts = Pick<Services, 'dataSource' | 'bus'> & {
  readonly database: OpeningDatabase;
  readonly running: () => Running | undefined;
};

/** The sweeper takes rows of 2 s; what is this old has been tried many times. */
const OUTBOX_SECONDS = 30;

/**
 * Without NATS tasks are still created, read and changed over HTTP, so that trouble with it is only told: taking every
 * replica out of service would make an outage of the bus one of the API.
 */
export function healthOf({ dataSource, database, bus, running }: Parts): Health {
  return {
    checks: {
      // Over the data source's few connections, which lists alone use: a busy write path is no reason to leave.
      postgres: async () => {
        database.expectOpen();
        await dataSource.query('SELECT 1');
      },
      migrations: () => expectMigrated(dataSource),
    },
    warnings: {
      nats: () => checkNats(bus),
      reactors: () => {
        if (!running()?.edges.isConsuming()) throw new Error('the consumer of task events is not being read');
      },
      outbox: async () => {
        const pool = running()?.services.pools.other;
        if (pool === undefined) throw new Error('not started yet');
        const seconds = Math.round(await oldestOutboxSeconds(pool));
        if (seconds > OUTBOX_SECONDS) throw new Error(`the oldest unpublished event is ${seconds} s old`);
      },
    },
  };
}
