import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addValue,
  decodeInto,
  emptySketches,
  encodeSketches,
  MEASURES,
  mergeInto,
  quantileOf,
} from './sketch.js';

const values = fc.array(fc.double({ min: 1e-6, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 200 });

function sketched(all: readonly number[]) {
  const sketches = emptySketches();
  for (const value of all) for (const measure of MEASURES) addValue(sketches[measure], value);
  return sketches;
}

describe('sketches', () => {
  it('tell every quantile within 1 %', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(0, 0.5, 0.9, 0.99), (all, quantile) => {
        const sorted = all.toSorted((one, other) => one - other);
        const exact = sorted[Math.floor(quantile * (sorted.length - 1))] ?? 0;
        const told = quantileOf(sketched(all).wait, quantile) ?? 0;
        expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * 0.0101);
      }),
    );
  });

  it('read as the sum of all that was written, in any parts', () => {
    fc.assert(
      fc.property(values, values, (one, other) => {
        const whole = sketched([...one, ...other]);
        const read = emptySketches();
        decodeInto(read, Buffer.concat([encodeSketches(sketched(one)), encodeSketches(sketched(other))]));
        expect(encodeSketches(read)).toEqual(encodeSketches(whole));
        const merged = sketched(one);
        mergeInto(merged, sketched(other));
        expect(encodeSketches(merged)).toEqual(encodeSketches(whole));
      }),
    );
  });

  it('take what took no time for the shortest there is, and tell nothing of nothing', () => {
    expect(quantileOf(sketched([0]).run, 0.5)).toBeCloseTo(1e-6, 7);
    expect(quantileOf(emptySketches().run, 0.5)).toBeNull();
  });
});
