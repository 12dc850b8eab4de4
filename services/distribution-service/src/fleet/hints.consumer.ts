import { BUS, type Bus } from '@baton/bus';
import { fleetEntry, HINT_SUBJECTS, policyEntry, slotsHint } from '@baton/contracts';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../logger.js';
import { applyPolicy } from '../engine/policies.fold.js';
import { applyHint } from './fleet.fold.js';
import { FleetService } from './fleet.service.js';
import { hold, release } from './slots.fold.js';
import { SnapshotService } from './snapshot.service.js';

/** Hears what task-service says after each commit about agents and slots. */
@Injectable()
export class HintsConsumer implements OnModuleInit {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly fleetService: FleetService,
    private readonly snapshots: SnapshotService,
  ) {}

  // Before the first snapshot is asked for, so that nothing falls between the two.
  onModuleInit(): void {
    this.bus.subscribe(HINT_SUBJECTS.fleet, (body) => this.agentChanged(body));
    this.bus.subscribe(HINT_SUBJECTS.slots, (body) => this.slotsChanged(body));
    this.bus.subscribe(HINT_SUBJECTS.policy, (body) => this.policyPut(body));
  }

  private agentChanged(body: unknown): void {
    const hint = fleetEntry.safeParse(body);
    if (!hint.success) return this.dropped(HINT_SUBJECTS.fleet, hint.error);
    const { fleet } = this.fleetService;
    const isNew = !fleet.agents.has(hint.data.agentId);
    applyHint(fleet, hint.data, performance.now());
    // What it holds is not in the hint. It may be used at once: task-service counts under lock.
    if (isNew) this.snapshots.refresh([hint.data.agentId]);
    this.fleetService.changed();
  }

  private slotsChanged(body: unknown): void {
    const hint = slotsHint.safeParse(body);
    if (!hint.success) return this.dropped(HINT_SUBJECTS.slots, hint.error);
    const { fleet } = this.fleetService;
    let released = false;
    for (const slot of hint.data) {
      if (slot.held) hold(fleet, slot);
      else release(fleet, slot);
      released ||= !slot.held;
    }
    if (released) this.fleetService.changed();
  }

  private policyPut(body: unknown): void {
    const hint = policyEntry.safeParse(body);
    if (!hint.success) return this.dropped(HINT_SUBJECTS.policy, hint.error);
    applyPolicy(this.fleetService.policies, hint.data);
  }

  private dropped(subject: string, error: Error): void {
    this.logger.warn({ err: error, subject }, 'dropped a hint that is not what the contract says');
  }
}
