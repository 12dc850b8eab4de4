import { hashOf } from '@baton/contracts';
import type { Signature } from '../engine/signatures.fold.js';
import type { Fleet } from '../fleet/fleet.state.js';
import { neighbourOf } from './ownership.fold.js';

/** How long a waiting task is one distributor's to take before it is the next one's, by the database's clock. */
export const TURN_MS = 1_000;

/**
 * Whether a task read from the backlog is this process's to take in this turn. All distributors read the same tasks,
 * best first; each leaves the others theirs, so that they seldom propose the same one. Of those that have room for
 * such tasks the id and the turn name one: whoever cannot take a task keeps it from others for a turn at most.
 */
export function isOurTurn(
  { shards: { self, distributors } }: Fleet,
  withRoom: ReadonlySet<string>,
  taskId: string,
  turn: number,
): boolean {
  if (withRoom.size === 0) return true;
  const first = hashOf(taskId) + turn;
  for (let next = 0; next < distributors.length; next += 1) {
    const distributor = distributors[(first + next) % distributors.length];
    if (distributor === self) return true;
    if (distributor !== undefined && withRoom.has(distributor)) return false;
  }
  return true;
}

/** The other distributors that seem to have room for what is asked. O(shards). */
export function neighboursWithRoom(fleet: Fleet, { others }: Signature): ReadonlySet<string> {
  const withRoom = new Set<string>();
  for (const [shard, open] of others.openInShard.entries()) {
    if (open === 0) continue;
    const neighbour = neighbourOf(fleet, { shard });
    if (neighbour !== undefined) withRoom.add(neighbour);
  }
  return withRoom;
}
