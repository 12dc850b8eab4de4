import { BUS, type Bus } from '@baton/bus';
import { LIMITS, SERVICE_SUBJECTS, snapshotAnswer } from '@baton/contracts';
import type { SnapshotAnswer, SnapshotRequest } from '@baton/contracts';
import { apart } from '@baton/telemetry';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../logger.js';
import { askTaskService } from '../task-service.client.js';
import { leaseOf } from '../shards/ownership.fold.js';
import { applyPolicy } from '../engine/policies.fold.js';
import { applySnapshot, removeMissing } from './fleet.fold.js';
import { FleetService } from './fleet.service.js';
import { roomOf } from './slots.fold.js';

/** A snapshot was taken in: what was known at step `askedAt` is confirmed, of the agents named or of all. */
export type Applied = { readonly askedAt: number; readonly agentIds: readonly string[] | 'all' };

const ALL_EVERY_MS = 30_000;
const FULL_EVERY_MS = 2_000;
const COALESCE_MS = 250;
const RETRY_MS = 1_000;
const TIMEOUT_MS = 5_000;

/** Keeps the fleet true to what task-service has committed; hints may be lost, snapshots heal that. */
@Injectable()
export class SnapshotService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly wanted = new Set<string>();
  private readonly listeners = new Set<(applied: Applied) => void>();
  private readonly timers: NodeJS.Timeout[] = [];
  private coalescing: NodeJS.Timeout | undefined;
  private retrying: NodeJS.Timeout | undefined;
  private readingAll = false;
  private readAllAgain = false;
  private complete = false;
  private failing = false;
  private stopped = false;

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly fleetService: FleetService,
  ) {}

  onApplicationBootstrap(): void {
    void this.refreshAll();
    // Hints sent meanwhile are lost.
    this.bus.onConnected(() => void this.refreshAll());
    this.timers.push(setInterval(() => void this.refreshAll(), ALL_EVERY_MS));
    this.timers.push(setInterval(() => this.refreshFull(), FULL_EVERY_MS));
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    for (const timer of this.timers) clearInterval(timer);
    clearTimeout(this.coalescing);
    clearTimeout(this.retrying);
  }

  /** Whether all agents were read at least once. */
  get isComplete(): boolean {
    return this.complete;
  }

  onApplied(listener: (applied: Applied) => void): void {
    this.listeners.add(listener);
  }

  /** Asks for these agents within 250 ms, together with others wanted meanwhile. */
  refresh(agentIds: Iterable<string>): void {
    for (const agentId of agentIds) this.wanted.add(agentId);
    if (this.stopped || this.wanted.size === 0 || this.coalescing !== undefined) return;
    this.coalescing = apart(() =>
      setTimeout(() => {
        this.coalescing = undefined;
        void this.refreshWanted();
      }, COALESCE_MS),
    );
  }

  /** Reads all agents, page by page; again after a second until that succeeds. */
  async refreshAll(): Promise<void> {
    if (this.readingAll) this.readAllAgain = true;
    if (this.readingAll || this.stopped) return;
    this.readingAll = true;
    this.readAllAgain = false;
    clearTimeout(this.retrying);
    try {
      await this.readAll();
    } catch (error) {
      this.complain(error);
      this.readAllAgain = true;
    } finally {
      this.readingAll = false;
    }
    if (this.readAllAgain && !this.stopped) {
      this.retrying = setTimeout(() => void this.refreshAll(), RETRY_MS);
    }
  }

  private async readAll(): Promise<void> {
    const { fleet } = this.fleetService;
    const askedAt = fleet.step;
    const present = new Set<string>();
    let after: string | null = null;
    do {
      const page: SnapshotAnswer = await this.ask(after === null ? {} : { after });
      for (const agent of page.agents) present.add(agent.agentId);
      after = page.next;
    } while (after !== null);
    removeMissing(fleet, present, askedAt);
    this.complete = true;
    this.applied({ askedAt, agentIds: 'all' });
  }

  private refreshFull(): void {
    const full: string[] = [];
    for (const agent of this.fleetService.fleet.agents.values()) {
      if (leaseOf(this.fleetService.fleet, agent) === undefined) continue;
      if (agent.status === 'online' && !agent.silent && roomOf(agent) === 0) full.push(agent.id);
    }
    this.refresh(full);
  }

  private async refreshWanted(): Promise<void> {
    const agentIds = [...this.wanted].slice(0, LIMITS.agentItems);
    for (const agentId of agentIds) this.wanted.delete(agentId);
    const askedAt = this.fleetService.fleet.step;
    try {
      await this.ask({ agentIds });
      this.applied({ askedAt, agentIds });
    } catch (error) {
      // Full and doubted agents are asked for again in 2 s, agents of unknown epoch at their next beat.
      this.complain(error);
    }
    this.refresh([]);
  }

  private async ask(request: SnapshotRequest): Promise<SnapshotAnswer> {
    const { fleet, clock } = this.fleetService;
    const [askedAt, sentAt] = [fleet.step, performance.now()];
    const options = { answer: snapshotAnswer, timeoutMs: TIMEOUT_MS };
    const answer = await askTaskService(this.bus, SERVICE_SUBJECTS.snapshot, request, options);
    this.failing = false;
    if (answer.now !== undefined) clock.learn(Date.parse(answer.now), sentAt);
    for (const policy of answer.policies ?? []) applyPolicy(this.fleetService.policies, policy);
    this.refresh(applySnapshot(fleet, answer.agents, askedAt, performance.now()));
    return answer;
  }

  /** Once an outage: it is tried again up to four times a second. */
  private complain(error: unknown): void {
    if (!this.failing)
      this.logger.warn({ error: String(error) }, 'could not read agents; trying again until it works');
    this.failing = true;
  }

  private applied(applied: Applied): void {
    for (const listener of this.listeners) listener(applied);
    this.fleetService.changed();
  }
}
