import type { SystemMetrics } from '@baton/contracts';
import { ingestMetrics } from '../ingest/ingest.prometheus.js';
import type { ReportStore } from './report.store.js';

/** Tells how metrics-service itself does. */
export class SystemService {
  readonly #store: ReportStore;

  constructor(store: ReportStore) {
    this.#store = store;
  }

  async system(): Promise<SystemMetrics> {
    const { now, upkeep } = await this.#store.read(async (reading) => ({
      now: await reading.now(),
      upkeep: await reading.upkeep(),
    }));
    const valueOf = async (name: 'events' | 'repeated' | 'lagSeconds') =>
      (await ingestMetrics[name].get()).values[0]?.value ?? 0;
    const { user, system } = process.cpuUsage();
    const memory = process.memoryUsage();
    return {
      asOf: new Date(now * 1_000).toISOString(),
      events: {
        ingested: await valueOf('events'),
        repeated: await valueOf('repeated'),
        lagSeconds: await valueOf('lagSeconds'),
        poison: upkeep.poison,
      },
      history: { state: stateOf(upkeep.cursor), gaps: upkeep.gaps },
      process: {
        uptimeSeconds: process.uptime(),
        cpuSeconds: (user + system) / 1e6,
        residentBytes: memory.rss,
        heapBytes: memory.heapUsed,
      },
      database: { bytes: upkeep.bytes },
    };
  }
}

function stateOf(cursor: object | null): SystemMetrics['history']['state'] {
  if (cursor === null) return 'waiting';
  return 'xid' in cursor ? 'following' : 'reading';
}
