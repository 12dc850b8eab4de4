import { describe, expect, it } from '@jest/globals';
import type { RetryPolicy } from '@baton/contracts';
import { retryDelayMs } from './retry.policy.js';

const policy = (kind: RetryPolicy['kind'], jitter = false): RetryPolicy => ({
  kind,
  baseSeconds: 2,
  capSeconds: 10,
  jitter,
});
const delays = (one: RetryPolicy) => [1, 2, 3, 4, 1_000].map((retry) => retryDelayMs(one, retry, 'seed'));

describe('the wait before a task is tried again', () => {
  it.each([
    ['fixed', [2_000, 2_000, 2_000, 2_000, 2_000]],
    ['linear', [2_000, 4_000, 6_000, 8_000, 10_000]],
    ['exponential', [2_000, 4_000, 8_000, 10_000, 10_000]],
  ] as const)('is %s, up to its cap', (kind, expected) => {
    expect(delays(policy(kind))).toEqual(expected);
  });

  it('is spread over the whole of it by full jitter, the same each time it is asked', () => {
    const shares = Array.from(
      { length: 1_000 },
      (_, index) => retryDelayMs(policy('fixed', true), 1, `task ${index}`) / 2_000,
    );
    expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
    for (const part of [0.25, 0.5, 0.75]) {
      const below = shares.filter((share) => share < part).length / shares.length;
      expect(Math.abs(below - part)).toBeLessThan(0.05);
    }
    expect(delays(policy('linear', true))).toEqual(delays(policy('linear', true)));
  });
});
