import { describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { createMint } from './mint-id.js';

const NOW = Date.UTC(2026, 10, 22);
const timeOf = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

describe('createMint', () => {
  it('mints in strict order within a millisecond and when the time steps back a little', () => {
    const mint = createMint();
    const ids = [NOW, NOW, NOW, NOW + 1, NOW, NOW - 4_000, NOW + 2].map(mint);
    expect(ids).toEqual([...new Set(ids)].toSorted());
    expect(timeOf(ids[6] ?? '')).toBe(NOW + 2);
  });

  it('has the time it is told, whatever others minted and however wrong it was before', () => {
    const mint = createMint();
    v7();
    const days = 40 * 86_400_000;
    expect([NOW - days, NOW, NOW + days, NOW, NOW + 1.7].map((time) => timeOf(mint(time)) - NOW)).toEqual([
      -days,
      0,
      days,
      0,
      1,
    ]);
  });
});
