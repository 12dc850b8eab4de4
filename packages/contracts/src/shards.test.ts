import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashOf, SHARDS, shardOf } from './shards.js';

describe('the shard of an agent', () => {
  // Computed with another program: whoever writes a distributor in another language compares with these.
  it.each([
    ['', 2_166_136_261, 5],
    ['a', 3_826_002_220, 44],
    ['writer', 2_228_000_106, 42],
    ['agent-1', 3_813_959_584, 32],
    ['agent-2', 3_864_292_441, 25],
    ['Z_9-x', 2_837_562_328, 24],
    ['A'.repeat(64), 2_302_769_541, 5],
  ])('%j hashes to %d and is in shard %d', (agentId, hash, shard) => {
    expect(hashOf(agentId)).toBe(hash);
    expect(shardOf(agentId)).toBe(shard);
  });

  it('is always one of those there are', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/), (agentId) => {
        expect(shardOf(agentId)).toBeGreaterThanOrEqual(0);
        expect(shardOf(agentId)).toBeLessThan(SHARDS);
      }),
    );
  });

  it('is spread evenly over names that differ in a number', () => {
    const agents = Array.from({ length: 6_400 }, (_, index) => shardOf(`agent-${index}`));
    const counts = Array.from({ length: SHARDS }, (_, shard) => agents.filter((one) => one === shard).length);
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(200);
  });
});
