import { describe, expect, it } from '@jest/globals';
import { applyPolicy, createPolicies, policyOf } from './policies.fold.js';
import { POLICIES } from './policies.scoring.js';

const quick = (version: number) => ({
  name: 'quick',
  version,
  kind: 'weighted',
  weights: { duration: 0.6, capability: 0.4, workload: 0, hindsight: 0.1 },
});

describe('the policies a distributor knows', () => {
  it('are weighted for whoever names none, until there is a default', () => {
    const known = createPolicies();
    expect(policyOf(known, undefined)).toBe(POLICIES.weighted);
    expect(policyOf(known, 'never put')).toBe(POLICIES.weighted);
    expect(policyOf(known, 'fit')).toBe(POLICIES.fit);
    applyPolicy(known, { ...quick(2), name: 'default' });
    expect(policyOf(known, undefined)).toMatchObject({ name: 'default', version: 2 });
    expect(policyOf(known, 'never put')).toMatchObject({ name: 'default', version: 2 });
  });

  it('are those of the highest version heard of, in whatever order', () => {
    const known = createPolicies();
    applyPolicy(known, quick(3));
    applyPolicy(known, quick(2));
    expect(policyOf(known, 'quick').version).toBe(3);
    applyPolicy(known, { name: 'weighted', version: 2, kind: 'least-loaded', weights: { workload: 1 } });
    expect(policyOf(known, 'weighted').parts).toHaveLength(1);
  });

  it('weigh what this version knows, and nothing that has no weight', () => {
    const known = createPolicies();
    applyPolicy(known, quick(1));
    const { parts, hasTurns, isPriced } = policyOf(known, 'quick');
    expect(parts.map(({ scorer, weight }) => [scorer.name, weight])).toEqual([
      ['duration', 0.6],
      ['capability', 0.4],
    ]);
    expect([hasTurns, isPriced]).toEqual([false, false]);
    expect(policyOf(known, 'fit').isPriced).toBe(true);
    expect(policyOf(known, 'round-robin').hasTurns).toBe(true);
  });
});
