import { describe, expect, it } from '@jest/globals';
import { SCORE_WEIGHTS, type ScorePartName } from './decision.js';
import { SCORE_GOLDEN_TABLE } from './score.golden.js';

const names = Object.keys(SCORE_WEIGHTS) as ScorePartName[];

describe('the golden table of scores', () => {
  it('has weights that add up to one', () => {
    expect(names.reduce((sum, name) => sum + SCORE_WEIGHTS[name], 0)).toBeCloseTo(1, 12);
  });

  it.each(SCORE_GOLDEN_TABLE)('$name: the total is the weighted sum of its parts', ({ parts, total }) => {
    expect(names.reduce((sum, name) => sum + SCORE_WEIGHTS[name] * parts[name], 0)).toBeCloseTo(total, 12);
  });

  it.each(SCORE_GOLDEN_TABLE)('$name: every part is between 0 and 1', ({ parts }) => {
    for (const name of names) {
      expect(parts[name]).toBeGreaterThanOrEqual(0);
      expect(parts[name]).toBeLessThanOrEqual(1);
    }
  });
});
