import { setTimeout as delay } from 'node:timers/promises';
import { BUS, type Bus } from '@baton/bus';
import { leaseAnswer, SERVICE_SUBJECTS, type LeaseAnswer, type LeaseRequest } from '@baton/contracts';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Logger } from 'pino';
import { shardsGauge, takeoversTotal } from '../distribution.metrics.js';
import { FleetService } from '../fleet/fleet.service.js';
import { SnapshotService } from '../fleet/snapshot.service.js';
import { LOGGER } from '../logger.js';
import { askTaskService } from '../task-service.client.js';
import { applyLeases, dropLeases } from './ownership.fold.js';

const RENEW_MS = 1_000;
/** While there is no lease. */
const RETRY_MS = 250;
/** One lost request, and there is still time for the next before the leases run out. */
const TIMEOUT_MS = 1_400;

/**
 * Keeps this process's leases of shards. It never believes in one longer than the database does: the time of a lease
 * counts from before it was asked for, and what is given back is not used any more before that is said.
 */
@Injectable()
export class LeaseService implements OnApplicationBootstrap {
  private until = Number.NEGATIVE_INFINITY;
  /** Not used any more, and not known to be given back. */
  private release: LeaseAnswer['release'] = [];
  private readonly listeners = new Set<() => void>();
  private readonly leaving = new AbortController();
  private keeping: Promise<void> | undefined;
  private expiry: NodeJS.Timeout | undefined;
  private failing = false;

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly fleetService: FleetService,
    private readonly snapshots: SnapshotService,
  ) {}

  onApplicationBootstrap(): void {
    this.keeping = this.keep();
  }

  /** Calls `listener` when this process may own other shards than before. */
  onChanged(listener: () => void): void {
    this.listeners.add(listener);
  }

  /**
   * Whether the leases hold now. To be asked before anything that only an owner may do: a process that was stopped
   * for a while meets what came meanwhile before its timers.
   */
  isHolding(): boolean {
    if (performance.now() < this.until) return true;
    this.drop();
    return false;
  }

  /** Gives everything back, so that others need not wait for the leases to run out. Safe to call twice. */
  async leave(): Promise<void> {
    if (this.leaving.signal.aborted) return;
    this.leaving.abort();
    await this.keeping;
    clearTimeout(this.expiry);
    this.until = Number.NEGATIVE_INFINITY;
    this.drop();
    await this.call({ leaving: true }).catch(() => undefined);
  }

  private async keep(): Promise<void> {
    const { signal } = this.leaving;
    while (!signal.aborted) {
      const askedAt = performance.now();
      const pauseMs = await this.renew(askedAt);
      const restMs = Math.max(0, askedAt + pauseMs - performance.now());
      await delay(restMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Asks once. Resolves with the time from then to the next call. */
  private async renew(askedAt: number): Promise<number> {
    try {
      const answer = await this.call({ release: [...this.release] });
      this.take(answer, askedAt);
      // Others wait for it.
      return this.release.length > 0 ? 0 : RENEW_MS;
    } catch (error) {
      if (!this.failing) this.logger.warn({ error: String(error) }, 'could not renew the leases of shards');
      this.failing = true;
      return this.isHolding() ? RENEW_MS : RETRY_MS;
    }
  }

  private take(answer: LeaseAnswer, askedAt: number): void {
    const { fleet } = this.fleetService;
    this.failing = false;
    this.release = answer.release;
    this.until = askedAt + answer.leaseMs;
    const before = fleet.generation;
    const takenOver = applyLeases(fleet, answer, performance.now());
    if (!this.isHolding()) return;
    clearTimeout(this.expiry);
    this.expiry = setTimeout(() => this.isHolding(), this.until - performance.now() + 1);
    if (fleet.generation === before) return;
    if (takenOver > 0) {
      takeoversTotal.inc(takenOver);
      // Their agents were heard all along; what was missed is found now, not in half a minute.
      void this.snapshots.refreshAll();
    }
    this.logger.info({ shards: fleet.shards.own.size, takenOver }, 'the leases of shards changed');
    this.changed();
  }

  private drop(): void {
    if (!dropLeases(this.fleetService.fleet)) return;
    if (!this.leaving.signal.aborted) {
      this.logger.warn(
        'no lease of shards any more: nothing is assigned and nobody expired until there is one',
      );
    }
    this.changed();
  }

  private changed(): void {
    shardsGauge.set(this.fleetService.fleet.shards.own.size);
    for (const listener of this.listeners) listener();
    this.fleetService.changed();
  }

  private call(rest: Partial<LeaseRequest>): Promise<LeaseAnswer> {
    const { self } = this.fleetService.fleet.shards;
    const request: LeaseRequest = { instance: self, release: [], leaving: false, ...rest };
    const options = { answer: leaseAnswer, timeoutMs: TIMEOUT_MS };
    return askTaskService(this.bus, SERVICE_SUBJECTS.lease, request, options);
  }
}
