import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideLeases as after, type LeaseCall, type ShardLease } from './lease.decide.js';

const SHARDS = 64;
const free: readonly ShardLease[] = Array.from({ length: SHARDS }, (_, shard) => ({
  shard,
  owner: null,
  epoch: 0,
}));
const call = (instance: string, rest: Partial<LeaseCall> = {}): LeaseCall => ({
  instance,
  release: [],
  leaving: false,
  ...rest,
});

const owned = (leases: readonly ShardLease[], instance: string) =>
  leases.filter(({ owner }) => owner === instance);

/** Everybody calls in turn, giving back what it was told to, until nothing changes. */
function settle(leases: readonly ShardLease[], live: readonly string[]): readonly ShardLease[] {
  const release = new Map<string, LeaseCall['release']>();
  for (let round = 0; round < 4; round += 1) {
    for (const instance of live) {
      const answer = after(leases, live, call(instance, { release: release.get(instance) ?? [] }));
      leases = answer.leases;
      release.set(instance, answer.release);
    }
  }
  return leases;
}

describe('leases of shards', () => {
  it('are all of the only one, with the first epoch', () => {
    const { leases } = after(free, ['a'], call('a'));
    expect(owned(leases, 'a')).toHaveLength(SHARDS);
    expect(leases.every(({ epoch }) => epoch === 1)).toBe(true);
  });

  it('are renewed without a change', () => {
    const { leases } = after(free, ['a'], call('a'));
    expect(after(leases, ['a'], call('a'))).toEqual({ leases, changed: [], release: [] });
  });

  it('stay with who has too many until it gives them back, and then go to who has too few', () => {
    const first = after(free, ['a'], call('a'));
    const joined = after(first.leases, ['a', 'b'], call('b'));
    expect(owned(joined.leases, 'b')).toEqual([]);
    const told = after(joined.leases, ['a', 'b'], call('a'));
    expect(told.release).toHaveLength(32);
    expect(owned(told.leases, 'a')).toHaveLength(64);
    const given = after(told.leases, ['a', 'b'], call('a', { release: told.release }));
    expect(owned(given.leases, 'a')).toHaveLength(32);
    const { leases } = after(given.leases, ['a', 'b'], call('b'));
    expect(owned(leases, 'b')).toHaveLength(32);
    expect(owned(leases, 'b').every(({ epoch }) => epoch === 2)).toBe(true);
  });

  it('of one that is gone are taken, with the next epoch, but only up to the share', () => {
    const leases = settle(free, ['a', 'b', 'c']);
    const { leases: next } = after(leases, ['a', 'b'], call('a'));
    expect(owned(next, 'a')).toHaveLength(32);
    expect(owned(next, 'b')).toHaveLength(21);
    for (const { shard, epoch } of owned(next, 'a')) {
      const before = leases[shard];
      expect(epoch).toBe((before?.epoch ?? 0) + (before?.owner === 'a' ? 0 : 1));
    }
  });

  it('that ran out and that nobody else took stay the same', () => {
    const leases = settle(free, ['a', 'b']);
    expect(after(leases, ['a', 'b'], call('b'))).toEqual({ leases, changed: [], release: [] });
  });

  it('of one that leaves are free at once', () => {
    const leases = settle(free, ['a', 'b']);
    const { leases: left } = after(leases, ['b'], call('a', { leaving: true }));
    expect(owned(left, 'a')).toEqual([]);
    expect(owned(after(left, ['b'], call('b')).leases, 'b')).toHaveLength(SHARDS);
  });

  it('cannot be given back by another', () => {
    const leases = settle(free, ['a', 'b']);
    const { changed } = after(leases, ['a', 'b'], call('b', { release: owned(leases, 'a').slice(0, 1) }));
    expect(changed).toEqual([]);
  });

  it('cannot be given back by a late call when they were taken again meanwhile', () => {
    const leases = settle(settle(free, ['a', 'b']), ['a']);
    const late = leases.slice(0, 1).map(({ shard, epoch }) => ({ shard, epoch: epoch - 1 }));
    expect(after(leases, ['a'], call('a', { release: late })).changed).toEqual([]);
  });

  it('are shared fairly in the end, whoever lives and whoever had them, and a shard moves only when it must', () => {
    const instances = Array.from({ length: 70 }, (_, index) => `instance-${index}`);
    const some = fc.subarray(instances, { minLength: 1 });
    const leasesOf = fc.array(fc.option(fc.constantFrom(...instances)), {
      minLength: SHARDS,
      maxLength: SHARDS,
    });
    fc.assert(
      fc.property(some, leasesOf, (live, owners) => {
        const start = owners.map((owner, shard) => ({ shard, owner, epoch: 7 }));
        const end = settle(start, live);
        const counts = live.map((instance) => owned(end, instance).length);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(SHARDS);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        for (const { shard, owner, epoch } of end) expect(epoch).toBe(start[shard]?.owner === owner ? 7 : 8);
      }),
    );
  });
});
