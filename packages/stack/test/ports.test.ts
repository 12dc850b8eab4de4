import { describe, expect, it } from '@jest/globals';
import { findFreePort } from '../src/ports.js';

describe('a free port', () => {
  it('is given once: services that start side by side must not get the same', async () => {
    const ports = new Set<number>();
    for (let count = 1; count <= 500; count += 1) {
      ports.add(await findFreePort());
      expect(ports.size).toBe(count);
    }
  });
});
