import { describe, expect, it } from '@jest/globals';
import { nearest } from './nearest.js';

const names = ['BATON_LANES', 'BATON_LOG_LEVEL', 'BATON_HTTP_PORT', 'BATON_HTTP_HOST', 'status', 'tag'];

describe('nearest', () => {
  it.each([
    ['a letter left out', 'BATON_LANS', 'BATON_LANES'],
    ['a letter too many', 'BATON_LLANES', 'BATON_LANES'],
    ['another letter', 'BATON_LOG_LEVEK', 'BATON_LOG_LEVEL'],
    ['two letters swapped', 'BATON_LAENS', 'BATON_LANES'],
    ['two swaps', 'BATON_ALNSE', 'BATON_LANES'],
    ['three slips', 'BATON_LGO_LEVLS', 'BATON_LOG_LEVEL'],
    ['one slip from one, three from another', 'BATON_HTTP_PORTS', 'BATON_HTTP_PORT'],
    ['capitals', 'STAUTS', 'status'],
    ['four slips', 'BATON_LOG_LEVELNESS', undefined],
    ['two swaps and two letters', 'BATON_ALNSEXX', undefined],
    ['two slips in a short word', 'tugs', undefined],
    ['nothing near', 'BATON_COLOUR', undefined],
    ['a word nobody types', 'x'.repeat(10_000), undefined],
  ])('with %s: %s → %s', (_what, word, expected) => {
    expect(nearest(word, names)).toBe(expected);
  });
});
