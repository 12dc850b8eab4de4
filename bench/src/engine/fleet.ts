import { applyHint, applyLeases, createFleet, type Fleet } from '@baton/distribution-service/engine';
import { SHARDS, type FleetEntry } from '@baton/contracts';

/** A fleet that heard of these agents, as seen by one of the distributors that own its shards. */
export function fleetOwnedBy(
  self: string,
  entries: readonly FleetEntry[],
  ownerOf: (shard: number) => string,
): Fleet {
  const fleet = createFleet(self);
  const shards = Array.from({ length: SHARDS }, (_, shard) => ({ shard, epoch: 1, owner: ownerOf(shard) }));
  applyLeases(fleet, { leaseMs: 3_000, shards, release: [] }, 0);
  for (const entry of entries) applyHint(fleet, entry, 0);
  return fleet;
}

/** An agent that is online, with what it can do. */
export function entryOf(
  agentId: string,
  capabilities: FleetEntry['capabilities'],
  maxConcurrent: number,
): FleetEntry {
  const presence = { status: 'online', epoch: 1, heartbeatMs: 2_000, expireMs: 6_000 } as const;
  return { agentId, ...presence, capabilities, maxConcurrent, prefetch: 0, connections: [] };
}
