import { describe, expect, it } from '@jest/globals';
import { COUNTERS, type Counts } from '../rollups/rollup.fold.js';
import { addValue, emptySketches, encodeSketches } from '../rollups/sketch.js';
import { evennessOf, figuresOf } from './figures.fold.js';

const counts = (some: Partial<Counts>): Counts => ({
  ...(Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counts),
  ...some,
});
const asked = { windowSeconds: 300, percentiles: [50, 99.9] };

describe('figuresOf', () => {
  it('divides by nothing when nothing ended', () => {
    expect(figuresOf(undefined, { ...asked, windowSeconds: 0 })).toMatchObject({
      ended: { completed: 0, failed: 0, cancelled: 0 },
      completionRate: null,
      failureRate: null,
      throughputPerHour: null,
      duration: { mean: null, p50: null, 'p99.9': null },
      delegation: { delegated: 0, efficiency: null },
    });
  });

  it('applies the formulas of the domain', () => {
    const sketches = emptySketches();
    for (let index = 0; index < 6; index += 1) addValue(sketches.duration, 2);
    const sum = {
      ...counts({
        completed: 6,
        failed: 1,
        cancelled: 1,
        duration_us: 12e6,
        run_us: 6e6,
        wait_us: 24e6,
        end_to_end_us: 36e6,
        delegated: 4,
        delegated_ended: 4,
        delegated_completed: 3,
      }),
      sketches: encodeSketches(sketches),
    };
    const figures = figuresOf(sum, asked);
    expect(figures).toMatchObject({
      ended: { completed: 6, failed: 1, cancelled: 1 },
      completionRate: 0.75,
      failureRate: 0.125,
      throughputPerHour: 72,
      duration: { mean: 2 },
      run: { mean: 1, p50: null },
      wait: { mean: 4 },
      endToEnd: { mean: 6 },
      delegation: { delegated: 4, completed: 3, ended: 4, efficiency: 0.75 },
    });
    expect(Math.abs((figures.duration['p50'] ?? 0) - 2)).toBeLessThanOrEqual(0.02);
  });
});

describe('evennessOf', () => {
  it('is 1 and 0 when all are alike, 1/n when one has all, and nothing of nothing', () => {
    expect(evennessOf([0.5, 0.5, 0.5])).toEqual({ jain: 1, coefficientOfVariation: 0 });
    const { jain, coefficientOfVariation } = evennessOf([1, 0, 0, 0]);
    expect(jain).toBe(0.25);
    expect(coefficientOfVariation).toBeCloseTo(Math.sqrt(3));
    expect(evennessOf([0, 0])).toEqual({ jain: null, coefficientOfVariation: null });
    expect(evennessOf([])).toEqual({ jain: null, coefficientOfVariation: null });
  });
});
