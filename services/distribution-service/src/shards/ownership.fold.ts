import { shardOf, type LeaseAnswer } from '@baton/contracts';
import type { Fleet, FleetAgent, OwnShard } from '../fleet/fleet.state.js';
import { changeProfile } from '../fleet/journal.fold.js';

/**
 * Takes in the answer to a lease call at `now`, without the shards it asks to give back. Returns how many shards were
 * taken over: others may have owned them since this process did, if it ever did.
 */
export function applyLeases(fleet: Fleet, { shards, release }: LeaseAnswer, now: number): number {
  const { self, own, latest, owners } = fleet.shards;
  const before = [...own.keys()].join();
  let takenOver = 0;
  const released = new Set(release.map((lease) => lease.shard));
  own.clear();
  owners.clear();
  for (const { shard, epoch, owner } of shards) {
    if (owner !== null) owners.set(shard, owner);
    if (owner !== self || released.has(shard)) continue;
    const known = latest.get(shard);
    const lease = known?.epoch === epoch ? known : { epoch, since: now };
    if (lease !== known) takenOver += 1;
    latest.set(shard, lease);
    own.set(shard, lease);
  }
  fleet.shards.distributors = [...new Set(owners.values())].toSorted();
  if (takenOver > 0 || [...own.keys()].join() !== before) ownersChanged(fleet);
  return takenOver;
}

/** No lease holds any more. Returns whether one did. */
export function dropLeases(fleet: Fleet): boolean {
  const { own } = fleet.shards;
  if (own.size === 0) return false;
  own.clear();
  ownersChanged(fleet);
  return true;
}

/** O(agents), when a shard changes hands. */
function ownersChanged(fleet: Fleet): void {
  fleet.generation += 1;
  for (const agent of fleet.agents.values()) changeProfile(fleet, agent, () => undefined);
}

/** By which lease this process decides about an agent; nothing when another one does, or nobody. */
export function leaseOf(fleet: Fleet, { shard }: Pick<FleetAgent, 'shard'>): OwnShard | undefined {
  return fleet.shards.own.get(shard);
}

/** As `leaseOf`, for an agent of which only the id is known. */
export function leaseOfId(fleet: Fleet, agentId: string): OwnShard | undefined {
  return fleet.shards.own.get(shardOf(agentId));
}

/**
 * The other distributor that decides about an agent. Where nobody was known to own its shard, somebody may by now: the
 * shard stands for whoever that is. Nothing for agents of this process.
 */
export function neighbourOf(fleet: Fleet, { shard }: Pick<FleetAgent, 'shard'>): string | undefined {
  const { owners, self } = fleet.shards;
  const owner = owners.get(shard) ?? `owner of shard ${shard}`;
  return owner === self ? undefined : owner;
}
