import type { PolicyKind } from '@baton/contracts';
import type { FleetEntry, QueuedTask } from '@baton/contracts';
import {
  createView,
  planReading,
  POLICIES,
  takePages,
  tryAhead,
  TURN_MS,
  type FleetView,
  type Tried,
  type WaitingClasses,
} from '@baton/distribution-service/engine';
import { fleetOwnedBy } from '../engine/fleet.js';
import type { Backlog } from './backlog.js';

/** What one distributor knows. */
export type Replica = {
  readonly view: FleetView;
  readonly waiting: WaitingClasses;
  readonly proposed: Set<string>;
  isAwake: boolean;
};

/** One of several distributors that share the agents, having heard of all of them. */
export function createReplica(
  index: number,
  { replicas, policy }: { readonly replicas: number; readonly policy: PolicyKind },
  entries: readonly FleetEntry[],
): Replica {
  const fleet = fleetOwnedBy(`replica-${index}`, entries, (shard) => `replica-${shard % replicas}`);
  return {
    view: createView(fleet, POLICIES[policy]),
    waiting: new Map(),
    proposed: new Set(),
    isAwake: false,
  };
}

/** Reads and tries what waits until there is nothing some agent with room could take. */
export function readBacklog(
  { view, waiting }: Replica,
  backlog: Backlog,
  now: number,
  attempt: (task: QueuedTask) => Tried,
): void {
  const turn = Math.floor(now / TURN_MS);
  for (let isMore = true; isMore;) {
    const asked = planReading(waiting, view.index, now);
    if (asked.length > 0) takePages(waiting, asked, backlog.read(asked));
    const isShort = tryAhead(waiting, view.index, turn, attempt);
    isMore = isShort || asked.length > 0;
  }
}
