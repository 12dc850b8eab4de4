import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { createFleet, type Fleet } from './fleet.state.js';

/** The one fleet of this process, and who wants to know when it changed. */
@Injectable()
export class FleetService {
  readonly fleet: Fleet = createFleet(randomUUID());
  private readonly listeners = new Set<() => void>();

  /** Calls `listener` after changes that may let a waiting task go somewhere. */
  onChanged(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** To be called by whoever let a fold change the fleet. */
  changed(): void {
    for (const listener of this.listeners) listener();
  }
}
