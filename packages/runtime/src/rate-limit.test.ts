import { describe, expect, it } from '@jest/globals';
import { createRateLimit, expectAllowed } from './rate-limit.js';

function limited(perSecond: number) {
  let time = 0;
  const limit = createRateLimit({ name: 'key', perSecond }, () => time);
  return {
    take: (who = 'one') => limit.take(who),
    after: (milliseconds: number) => {
      time += milliseconds;
    },
  };
}

const allowed = (limit: ReturnType<typeof limited>, tries: number, who = 'one') =>
  Array.from({ length: tries }, () => limit.take(who)).filter((one) => one?.retryAfterMs === undefined)
    .length;

describe('a rate limit', () => {
  it('allows two seconds of it at once, then as much as time passes', () => {
    const limit = limited(10);
    expect(allowed(limit, 100)).toBe(20);
    limit.after(500);
    expect(allowed(limit, 100)).toBe(5);
    limit.after(3_600_000);
    expect(allowed(limit, 100)).toBe(20);
  });

  it('tells what is left, and when one is allowed again', () => {
    const limit = limited(10);
    expect(limit.take()).toEqual({
      policy: 'key',
      quota: 20,
      windowSeconds: 2,
      remaining: 19,
      resetSeconds: 1,
      retryAfterMs: undefined,
    });
    allowed(limit, 19);
    const refused = limit.take();
    expect(refused).toMatchObject({ remaining: 0, resetSeconds: 2, retryAfterMs: 100 });
    expect(() => expectAllowed(refused)).toThrow('at most 20 requests of one key in 2 s');
    limit.after(99);
    expect(allowed(limit, 1)).toBe(0);
    limit.after(1);
    expect(allowed(limit, 1)).toBe(1);
  });

  it('counts each for itself, over the turns of the generations too', () => {
    const limit = limited(10);
    expect(allowed(limit, 20, 'one')).toBe(20);
    expect(allowed(limit, 20, 'other')).toBe(20);
    for (let second = 0; second < 10; second += 1) {
      limit.after(1_000);
      expect(allowed(limit, 50, 'one')).toBe(10);
    }
  });

  it('is none where it is 0', () => {
    expect(limited(0).take()).toBeUndefined();
    expect(() => expectAllowed(undefined)).not.toThrow();
  });

  it('keeps no more than two generations, however many come', () => {
    const limit = limited(1);
    const before = process.memoryUsage().heapUsed;
    for (let who = 0; who < 400_000; who += 1) limit.take(`address-${who}`);
    // All of them would be about 80 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60_000_000);
  });
});
