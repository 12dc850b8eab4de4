import { describe, expect, it } from '@jest/globals';
import { SHARDS, shardOf, type LeaseAnswer } from '@baton/contracts';
import { agentIn, fleetEntry, leasesOf } from '../../test/factories.js';
import { applyHint } from '../fleet/fleet.fold.js';
import { createFleet, type Fleet } from '../fleet/fleet.state.js';
import { applyLeases, dropLeases, leaseOf, neighbourOf } from './ownership.fold.js';

const SHARD = shardOf('a');

function fleetWithAgent(): Fleet {
  const fleet = createFleet('self');
  applyHint(fleet, fleetEntry('a'), 0);
  return fleet;
}
const lease = (fleet: Fleet) => leaseOf(fleet, agentIn(fleet, 'a'));
const owner = (
  fleet: Fleet,
  name: string | null,
  epoch: number,
  now: number,
  rest: Partial<LeaseAnswer> = {},
) => applyLeases(fleet, { ...leasesOf(() => name, epoch), ...rest }, now);

describe('an agent', () => {
  it('is nobody’s until a lease says so', () => {
    const fleet = fleetWithAgent();
    expect(lease(fleet)).toBeUndefined();
    expect(neighbourOf(fleet, agentIn(fleet, 'a'))).toContain('shard');
  });

  it('is owned from when its shard became ours, however often that is said again', () => {
    const fleet = fleetWithAgent();
    expect(owner(fleet, 'self', 3, 100)).toBe(SHARDS);
    expect(owner(fleet, 'self', 3, 1_100)).toBe(0);
    expect(lease(fleet)).toEqual({ epoch: 3, since: 100 });
  });

  it('is the neighbour’s when its shard is', () => {
    const fleet = fleetWithAgent();
    owner(fleet, 'other', 3, 100);
    expect(lease(fleet)).toBeUndefined();
    expect(neighbourOf(fleet, agentIn(fleet, 'a'))).toBe('other');
  });

  it('stays the same after a gap in which nobody else had it, and is new after one in which somebody had', () => {
    const fleet = fleetWithAgent();
    owner(fleet, 'self', 3, 100);
    dropLeases(fleet);
    expect(lease(fleet)).toBeUndefined();
    expect(owner(fleet, 'self', 3, 9_000)).toBe(0);
    expect(lease(fleet)).toEqual({ epoch: 3, since: 100 });
    owner(fleet, 'other', 4, 10_000);
    expect(owner(fleet, 'self', 5, 11_000)).toBe(SHARDS);
    expect(lease(fleet)).toEqual({ epoch: 5, since: 11_000 });
  });

  it('is not decided about any more once its shard is to be given back', () => {
    const fleet = fleetWithAgent();
    owner(fleet, 'self', 3, 100);
    owner(fleet, 'self', 3, 200, { release: [{ shard: SHARD, epoch: 3 }] });
    expect(lease(fleet)).toBeUndefined();
    expect(fleet.shards.own.size).toBe(SHARDS - 1);
  });
});

describe('the generation of the fleet', () => {
  it('changes with the owners and only then', () => {
    const fleet = fleetWithAgent();
    const changes = (change: () => void): boolean => {
      const before = fleet.generation;
      change();
      return fleet.generation !== before;
    };
    expect(changes(() => owner(fleet, 'self', 1, 0))).toBe(true);
    expect(changes(() => owner(fleet, 'self', 1, 1))).toBe(false);
    expect(changes(() => owner(fleet, 'self', 1, 2, { release: [{ shard: 5, epoch: 1 }] }))).toBe(true);
    expect(changes(() => dropLeases(fleet))).toBe(true);
    expect(changes(() => dropLeases(fleet))).toBe(false);
  });
});
