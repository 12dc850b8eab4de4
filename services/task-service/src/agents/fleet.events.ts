import type { Bus } from '@baton/bus';
import { HINT_SUBJECTS, type FleetEntry, type FleetEvent, type FleetEventType } from '@baton/contracts';
import type { Logger } from 'pino';
import { v7 } from 'uuid';
import type { Client, Pool } from '../database/database.js';
import { writeParts } from '../database/parts.js';
import { insertOutbox, type OutboxRow } from '../outbox/outbox.store.js';
import { toMessages } from '../outbox/outbox.messages.js';
import type { OutboxService } from '../outbox/outbox.service.js';
import { findFleet, type Agent } from './agent.store.js';

type FleetChange = {
  readonly type: FleetEventType;
  readonly agentId: string;
  readonly data: FleetEvent['data'];
};

/** Writes the events of a fleet change with the change itself. */
export async function insertFleetEvents(db: Client, changes: readonly FleetChange[]): Promise<OutboxRow> {
  const { rows } = await db.query<{ now: number }>('SELECT clock_timestamp() AS now');
  const time = new Date(rows[0]?.now ?? Number.NaN).toISOString();
  const events = changes.map(({ type, agentId, data }) => {
    const event: FleetEvent = {
      specversion: '1.0',
      id: v7(),
      source: '/task-service',
      type,
      subject: agentId,
      time,
      datacontenttype: 'application/json',
      data,
    };
    return { type, json: JSON.stringify(event) };
  });
  const row = { id: v7(), messages: toMessages(events, v7) };
  await writeParts(db, [insertOutbox(row)]);
  return row;
}

export function fleetData(agent: Agent, reason: string | null): FleetEvent['data'] {
  const { status, epoch, capabilities, maxConcurrent, prefetch } = agent;
  return { status, epoch, capabilities: [...capabilities], maxConcurrent, prefetch, reason };
}

/** Tells the distributors after the commit: by the stream, and by a hint with the whole entry. */
export class FleetAnnouncer {
  constructor(
    private readonly bus: Bus,
    private readonly pool: Pool,
    private readonly outbox: OutboxService,
    private readonly logger: Logger,
  ) {}

  /** Tells that an agent is no more: of a row that is gone nothing can be read. */
  announceRemoved(row: OutboxRow, { id: agentId, ...agent }: Agent): void {
    this.outbox.publish(row);
    const { epoch, maxConcurrent, prefetch, heartbeatMs, expireMs } = agent;
    const known = { epoch, capabilities: [], maxConcurrent, prefetch, heartbeatMs, expireMs };
    const entry: FleetEntry = { agentId, status: 'offline', ...known, connections: [] };
    this.bus.publishHint(HINT_SUBJECTS.fleet, entry);
  }

  /** Never rejects: the change is committed, and distributors learn of it from snapshots as well. */
  async announce(row: OutboxRow, agentIds: readonly string[]): Promise<void> {
    this.outbox.publish(row);
    try {
      for (const entry of await findFleet(this.pool, { agentIds, limit: agentIds.length })) {
        this.bus.publishHint(HINT_SUBJECTS.fleet, entry);
      }
    } catch (error) {
      this.logger.warn(
        { agents: agentIds, error: String(error) },
        'a fleet change is left to the next snapshot',
      );
    }
  }
}
