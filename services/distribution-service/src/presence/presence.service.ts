import { randomUUID } from 'node:crypto';
import { BUS, type Bus } from '@baton/bus';
import { agentOfSubject, agentSubject, HINT_SUBJECTS, LIMITS, SERVICE_SUBJECTS } from '@baton/contracts';
import type { Control, ExpireRequest } from '@baton/contracts';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import { z } from 'zod';
import { FleetService } from '../fleet/fleet.service.js';
import { applyExpiry, isLive, markHeard, markSilent } from '../fleet/fleet.fold.js';
import { SnapshotService, type Applied } from '../fleet/snapshot.service.js';
import { LOGGER } from '../logger.js';
import { expiriesTotal } from '../distribution.metrics.js';
import { LeaseService } from '../shards/lease.service.js';
import { leaseOfId } from '../shards/ownership.fold.js';
import { askTaskService, itemAnswers } from '../task-service.client.js';
import { ForgottenService } from './forgotten.service.js';
import { agentHeard, beatReturned, beatSent, createPresence, forgetGone } from './presence.fold.js';
import { isBeatWanted, noteSweep, OWN_BEAT_MS, silentAgents, startOver } from './presence.fold.js';
import type { Silence } from './presence.fold.js';

const SWEEP_MS = 250;
const ASK_AGAIN_MS = 1_000;
const TIMEOUT_MS = 5_000;
const expireAnswer = itemAnswers({ agentId: z.string(), expired: z.boolean() });

/** The connection that the own beat is published on. */
export const PROBE = Symbol('Probe');

/** Hears the beats of agents and has those expired that fell silent while this process could hear. */
@Injectable()
export class PresenceService implements OnModuleInit, OnApplicationShutdown {
  private readonly presence = createPresence(performance.now());
  /** Beats of epochs nobody told of, until a snapshot asked for later says whether they are known. */
  private readonly unknown = new Map<string, { epoch: number; at: number; step: number }>();
  private readonly askedAt = new Map<string, number>();
  private readonly ownBeat = HINT_SUBJECTS.distributorBeat(randomUUID());
  private readonly timers: NodeJS.Timeout[] = [];

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(PROBE) private readonly probe: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly fleetService: FleetService,
    private readonly snapshots: SnapshotService,
    private readonly forgotten: ForgottenService,
    private readonly leases: LeaseService,
  ) {}

  onModuleInit(): void {
    this.bus.subscribe(this.ownBeat, (body) => {
      const sentAt = (body as { sentAt?: unknown } | null)?.sentAt;
      if (typeof sentAt === 'number') beatReturned(this.presence, sentAt, performance.now());
    });
    this.bus.subscribe(agentSubject.heartbeat('*'), (body, subject) => this.heard(body, subject));
    this.bus.onConnected(() => {
      startOver(this.presence, performance.now());
      this.beat();
    });
    this.snapshots.onApplied((applied) => this.settleUnknown(applied));
    this.timers.push(setInterval(() => this.beat(), OWN_BEAT_MS));
    this.timers.push(setInterval(() => this.sweep(), SWEEP_MS));
    this.beat();
  }

  /** Not before what is in work was waited for: until then nobody else looks after these agents. */
  onApplicationShutdown(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  private beat(): void {
    if (!this.bus.isConnected() || !this.probe.isConnected()) return;
    const sentAt = performance.now();
    beatSent(this.presence, sentAt);
    this.probe.publishHint(this.ownBeat, { sentAt });
  }

  /** Read by hand: a large fleet beats thousands of times a second. */
  private heard(body: unknown, subject: string): void {
    const { epoch, running } = (body ?? {}) as { epoch?: unknown; running?: unknown };
    if (typeof epoch !== 'number') return;
    const { fleet } = this.fleetService;
    const agentId = agentOfSubject(subject);
    const agent = fleet.agents.get(agentId);
    const at = performance.now();
    if (agent === undefined || !isLive(fleet, agentId, epoch)) {
      // Whoever owns it asks about it.
      if (leaseOfId(fleet, agentId) === undefined) return;
      this.unknown.set(agentId, { epoch, at, step: ++fleet.step });
      this.snapshots.refresh([agentId]);
      return;
    }
    agentHeard(this.presence, agent, at);
    if (leaseOfId(fleet, agentId) !== undefined) this.forgotten.heard(agent, running, at);
    if (!agent.silent) return;
    markHeard(fleet, agent);
    this.fleetService.changed();
  }

  private settleUnknown({ askedAt, agentIds }: Applied): void {
    const { fleet } = this.fleetService;
    for (const agentId of agentIds === 'all' ? [...this.unknown.keys()] : agentIds) {
      const beat = this.unknown.get(agentId);
      if (beat === undefined || beat.step > askedAt) continue;
      this.unknown.delete(agentId);
      const agent = fleet.agents.get(agentId);
      if (agent !== undefined && isLive(fleet, agentId, beat.epoch))
        agentHeard(this.presence, agent, beat.at);
      else this.askToSayHello(agentId, beat.epoch);
    }
    forgetGone(fleet, this.presence);
  }

  private askToSayHello(agentId: string, epoch: number): void {
    const control: Control = { type: 'rehello', reason: `epoch ${epoch} is not the live one` };
    this.bus.publishHint(agentSubject.control(agentId), control);
    this.logger.info({ agent_id: agentId, epoch }, 'asked an agent of unknown epoch to say hello');
  }

  private sweep(): void {
    const now = performance.now();
    noteSweep(this.presence, now);
    if (!this.leases.isHolding()) return;
    const silent = silentAgents(this.fleetService.fleet, this.presence, now);
    if (isBeatWanted(this.fleetService.fleet, this.presence, now)) this.beat();
    for (const { agentId } of silent) markSilent(this.fleetService.fleet, agentId);
    for (const [agentId, at] of this.askedAt) if (now - at >= ASK_AGAIN_MS) this.askedAt.delete(agentId);
    const due = silent.filter(({ agentId }) => !this.askedAt.has(agentId));
    for (let start = 0; start < due.length; start += LIMITS.agentItems) {
      void this.expire(due.slice(start, start + LIMITS.agentItems));
    }
  }

  private async expire(items: readonly Silence[]): Promise<void> {
    // Until the answer comes; then for another second, as the snapshot that settles a refusal takes a while.
    for (const { agentId } of items) this.askedAt.set(agentId, Number.POSITIVE_INFINITY);
    const request: ExpireRequest = { items: [...items] };
    try {
      const options = { answer: expireAnswer, timeoutMs: TIMEOUT_MS };
      const answer = await askTaskService(this.bus, SERVICE_SUBJECTS.expire, request, options);
      for (const [index, item] of items.entries()) this.expired(item, answer.items[index]);
    } catch (error) {
      this.logger.warn({ err: error, agents: items.length }, 'could not expire silent agents');
    }
    for (const { agentId } of items) this.askedAt.set(agentId, performance.now());
    this.fleetService.changed();
  }

  private expired(item: Silence, answer: z.infer<typeof expireAnswer>['items'][number] | undefined): void {
    const { agentId, epoch, silentMs } = item;
    if (answer?.ok === true && answer.expired) {
      applyExpiry(this.fleetService.fleet, agentId, epoch);
      expiriesTotal.inc();
      this.logger.warn(
        { agent_id: agentId, epoch, silentMs: Math.round(silentMs) },
        'expired a silent agent',
      );
      return;
    }
    if (answer?.ok === false) {
      this.logger.warn({ agent_id: agentId, error: answer.error }, 'a silent agent was not expired');
    }
    this.snapshots.refresh([agentId]);
  }
}
