import { applyHint, applyLeases, createFleet, type Fleet } from '@baton/distribution-service/engine';
import { SHARDS, type FleetEntry } from '@baton/contracts';

/** A fleet of which one distributor owns every agent. */
export function ownedFleet(entries: readonly FleetEntry[]): Fleet {
  const fleet = createFleet('bench');
  const shards = Array.from({ length: SHARDS }, (_, shard) => ({ shard, epoch: 1, owner: 'bench' }));
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
