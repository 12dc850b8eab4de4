import { hashOf } from '@baton/contracts';
import type { ClassAgents } from '../assignment/classes.fold.js';
import type { Fleet } from '../fleet/fleet.state.js';
import { roomOf } from '../fleet/slots.fold.js';
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

/** The other distributors that seem to have room for tasks of a class. */
export function neighboursWithRoom(fleet: Fleet, { others }: ClassAgents): ReadonlySet<string> {
  const withRoom = new Set<string>();
  for (const agent of others) {
    const neighbour = neighbourOf(fleet, agent);
    if (neighbour !== undefined && roomOf(agent) > 0) withRoom.add(neighbour);
  }
  return withRoom;
}
