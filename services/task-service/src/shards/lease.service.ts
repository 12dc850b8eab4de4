import { DomainError, shardOf, type LeaseAnswer } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import { decideLeases, type LeaseCall } from './lease.decide.js';
import * as store from './lease.store.js';

/** Distributors call every second and wait 1.4 s for the answer: one call may be lost before others take over. */
const LEASE_MS = 3_000;
/** How long an epoch read may be used. It is a hint: state and capacity are checked under lock whoever asks. */
const EPOCHS_MS = 250;

type Epochs = { readonly readAt: number; readonly epochs: Promise<readonly number[]> };

/** Which distributor decides about which agents: leases of shards, arbitrated by the database and its clock. */
export class LeaseService {
  private latest: Epochs | undefined;

  constructor(private readonly pool: Pool) {}

  /** One transaction of five short statements, one call at a time: O(shards), once a second from each distributor. */
  async lease(call: LeaseCall): Promise<LeaseAnswer> {
    const { leases, live, release } = await inTransaction(this.pool, async (db) => {
      await store.lockLeases(db);
      if (call.leaving) await store.deleteLife(db, call.instance);
      else await store.saveLife(db, call.instance, LEASE_MS);
      const living = await store.findLive(db);
      const decided = decideLeases(await store.findLeases(db), living, call);
      if (decided.changed.length > 0) await store.saveLeases(db, decided.changed);
      return { ...decided, live: living };
    });
    const shards = leases.map(({ shard, owner, epoch }) => ({
      shard,
      epoch,
      owner: owner !== null && live.includes(owner) ? owner : null,
    }));
    return { leaseMs: LEASE_MS, shards, release: [...release] };
  }

  /**
   * Whether a proposal comes of a lease that another distributor holds by now. Read without a lock, at most four
   * times a second whatever the load.
   */
  async findOutdated(
    items: readonly { readonly agentId: string; readonly shardEpoch: number }[],
  ): Promise<readonly (DomainError | undefined)[]> {
    const epochs = await this.epochs();
    return items.map(({ agentId, shardEpoch }) => {
      const shard = shardOf(agentId);
      const epoch = epochs[shard] ?? 0;
      if (shardEpoch >= epoch) return undefined;
      return new DomainError(
        'STALE_SHARD',
        `Agent ${agentId} is in shard ${shard}, expected its epoch ${epoch}, got ${shardEpoch}; renew the leases first`,
      );
    });
  }

  private epochs(): Promise<readonly number[]> {
    const now = performance.now();
    if (this.latest !== undefined && now - this.latest.readAt < EPOCHS_MS) return this.latest.epochs;
    const epochs = store.findLeases(this.pool).then((leases) => leases.map(({ epoch }) => epoch));
    const latest = { readAt: now, epochs };
    this.latest = latest;
    epochs.catch(() => {
      if (this.latest === latest) this.latest = undefined;
    });
    return epochs;
  }
}
