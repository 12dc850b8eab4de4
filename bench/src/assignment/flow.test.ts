import { describe, expect, it } from '@jest/globals';
import { capacityOf } from './flow.js';

describe('the capacity of a fleet', () => {
  it('is all of it where everybody can do everything', () => {
    const capacity = capacityOf({
      shares: [0.5, 0.5],
      agentsOf: [
        [0, 1],
        [0, 1],
      ],
      capacities: [5, 5],
    });
    expect(capacity).toBeCloseTo(10, 1);
  });

  it('is less where a class has too few agents for its share', () => {
    const capacity = capacityOf({ shares: [0.5, 0.5], agentsOf: [[0], [0, 1, 2]], capacities: [5, 5, 5] });
    expect(capacity).toBeCloseTo(10, 1);
  });

  it('lets one class give way to another that has nowhere else to go', () => {
    const shares = [0.25, 0.25, 0.5];
    const capacity = capacityOf({ shares, agentsOf: [[0, 1], [1, 2], [0]], capacities: [4, 2, 2] });
    expect(capacity).toBeCloseTo(8, 1);
  });
});
