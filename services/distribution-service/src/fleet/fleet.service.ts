import { randomUUID } from 'node:crypto';
import { createClock } from '@baton/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../logger.js';
import { createPolicies, type KnownPolicies } from '../engine/policies.fold.js';
import { createFleet, type Fleet } from './fleet.state.js';

/** The one fleet of this process, and who wants to know when it changed. */
@Injectable()
export class FleetService {
  readonly fleet: Fleet = createFleet(randomUUID());
  readonly policies: KnownPolicies = createPolicies();
  /** The time of the database, learnt from snapshots: what the fleet and its tasks say of times is meant by it. */
  readonly clock;
  private readonly listeners = new Set<() => void>();

  constructor(@Inject(LOGGER) logger: Logger) {
    this.clock = createClock(logger);
  }

  /** Calls `listener` after changes that may let a waiting task go somewhere. */
  onChanged(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** To be called by whoever let a fold change the fleet. */
  changed(): void {
    for (const listener of this.listeners) listener();
  }
}
