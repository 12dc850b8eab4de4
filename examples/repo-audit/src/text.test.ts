import { describe, expect, it } from '@jest/globals';
import { bytes, clip, plural } from './text.js';

describe('clip', () => {
  it('leaves what is short enough as it is', () => {
    expect(clip('abc', 3)).toBe('abc');
  });

  it('never cuts a character in two', () => {
    expect(clip('😀'.repeat(5), 4)).toBe('😀😀😀…');
    expect(clip(`a${'😀'.repeat(200)}`, 100)).not.toMatch(/\p{Surrogate}/u);
  });
});

describe('figures', () => {
  it('are given in the unit that suits them', () => {
    expect([0, 1, 1023, 1024, 1_572_864].map(bytes)).toEqual([
      '0 bytes',
      '1 byte',
      '1,023 bytes',
      '1.0 KiB',
      '1.5 MiB',
    ]);
  });

  it('agree with their noun', () => {
    expect([plural(1, 'file'), plural(1_200, 'file')]).toEqual(['1 file', '1,200 files']);
  });
});
