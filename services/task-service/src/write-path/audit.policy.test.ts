import { describe, expect, it } from '@jest/globals';
import { admits, createAuditLimit } from './audit.policy.js';

const entry = (actor: string, action = 'task.complete') => ({ actor, action });

/** How many of `tries` entries in a row, spread over `seconds`, are kept. */
function kept(actor: (index: number) => string, tries: number, seconds: number): number {
  const limit = createAuditLimit(0);
  const outcomes = Array.from({ length: tries }, (_, index) =>
    admits(limit, entry(actor(index)), (index * seconds * 1_000) / tries),
  );
  return outcomes.filter(Boolean).length;
}

describe('the audit log', () => {
  it('keeps a thousand entries of one sender at once, and then one a second', () => {
    expect(kept(() => 'agent:flood', 5_000, 0)).toBe(1_000);
    expect(kept(() => 'agent:flood', 50_000, 600)).toBeGreaterThanOrEqual(1_598);
    expect(kept(() => 'agent:flood', 50_000, 600)).toBeLessThanOrEqual(1_600);
    expect(kept(() => 'agent:steady', 3_600, 3_600)).toBe(3_600);
  });

  it('is bounded however many senders there are, and so is what is remembered of them', () => {
    expect(kept((index) => `agent:${index}`, 50_000, 0)).toBe(10_000);
    const limit = createAuditLimit(0);
    for (let index = 0; index < 30_000; index += 1) admits(limit, entry(`agent:${index}`), 0);
    expect(limit.each.size).toBeLessThanOrEqual(10_000);
  });

  it('counts each action of a sender for itself, and never stints on users and on Baton itself', () => {
    const limit = createAuditLimit(0);
    for (let index = 0; index < 2_000; index += 1) admits(limit, entry('agent:flood'), 0);
    expect(admits(limit, entry('agent:flood', 'agent.hello'), 0)).toBe(true);
    expect(admits(limit, entry('agent:other'), 0)).toBe(true);
    for (const actor of ['user:admin', 'service:task', 'system:presence']) {
      expect(kept(() => actor, 50_000, 0)).toBe(50_000);
    }
  });
});
