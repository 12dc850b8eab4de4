import { SHARDS, type FleetEntry, type LeaseAnswer } from '@baton/contracts';
import type { QueuedTask, SnapshotAnswer } from '@baton/contracts';
import { applyHint } from '../src/fleet/fleet.fold.js';
import { createFleet, type Fleet, type FleetAgent } from '../src/fleet/fleet.state.js';
import { hold, release, unreserve } from '../src/fleet/slots.fold.js';
import { applyLeases } from '../src/shards/ownership.fold.js';

type SnapshotAgent = SnapshotAnswer['agents'][number];

/** An online agent that can do nothing in particular, with five slots. */
export function fleetEntry(agentId: string, overrides: Partial<FleetEntry> = {}): FleetEntry {
  return {
    agentId,
    status: 'online',
    epoch: 1,
    capabilities: [],
    maxConcurrent: 5,
    prefetch: 0,
    heartbeatMs: 2_000,
    expireMs: 6_000,
    connections: [],
    ...overrides,
  };
}

/** The same with what it holds, as a snapshot has it. */
export function snapshotAgent(agentId: string, overrides: Partial<SnapshotAgent> = {}): SnapshotAgent {
  return { ...fleetEntry(agentId), held: [], ...overrides };
}

/** Every shard with the owner named for it. */
export function leasesOf(ownerOf: (shard: number) => string | null, epoch = 1): LeaseAnswer {
  const shards = Array.from({ length: SHARDS }, (_, shard) => ({ shard, epoch, owner: ownerOf(shard) }));
  return { leaseMs: 3_000, shards, release: [] };
}

/** A fleet that heard of these agents at time 0 and owns them all. */
export function fleetOf(...entries: readonly FleetEntry[]): Fleet {
  const fleet = createFleet('self');
  applyLeases(
    fleet,
    leasesOf(() => 'self'),
    Number.NEGATIVE_INFINITY,
  );
  for (const entry of entries) applyHint(fleet, entry, 0);
  return fleet;
}

/** The agent, which must be there. */
export function agentIn(fleet: Fleet, agentId: string): FleetAgent {
  const agent = fleet.agents.get(agentId);
  if (agent === undefined) throw new Error(`there is no agent ${agentId} in the fleet`);
  return agent;
}

/** Lets an agent hold `count` tasks more. */
export function load(fleet: Fleet, agentId: string, count: number): void {
  for (let index = 0; index < count; index += 1) hold(fleet, { agentId, taskId: taskId(), version: 2 });
}

/** Lets an agent hold nothing any more. */
export function unload(fleet: Fleet, agentId: string): void {
  const { held, reserved } = agentIn(fleet, agentId);
  for (const task of reserved) unreserve(fleet, agentId, task);
  for (const task of held) release(fleet, { agentId, taskId: task, version: 3 });
}

let tasks = 0;

/** Ids that sort in the order they were asked for. */
export function taskId(): string {
  tasks += 1;
  return `00000000-0000-7000-8000-${String(tasks).padStart(12, '0')}`;
}

/** A queued task of class `any` that needs nothing in particular. */
export function queuedTask(
  needs: Partial<QueuedTask['needs']> = {},
  overrides: Partial<Omit<QueuedTask, 'needs'>> = {},
): QueuedTask {
  return {
    id: taskId(),
    version: 1,
    type: 'task',
    priority: 3,
    firstQueuedAt: '2026-01-01T00:00:00.000Z',
    needs: {
      backlogClass: 'any',
      queueKey: 0,
      requiredCapabilities: [],
      preferredCapabilities: [],
      criteria: {},
      skippedAgents: [],
      connectedFrom: null,
      ...needs,
    },
    ...overrides,
  };
}
