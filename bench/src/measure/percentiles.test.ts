import { expect, it } from '@jest/globals';
import { percentiles } from './percentiles.js';

it('gives values that were measured, by nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentiles(values, { p50: 0.5, p99: 0.99, all: 1 })).toEqual({ p50: 50, p99: 99, all: 100 });
  expect(percentiles([7], { p50: 0.5, p99: 0.99 })).toEqual({ p50: 7, p99: 7 });
  expect(percentiles([], { p50: 0.5 })).toEqual({ p50: Number.NaN });
});
