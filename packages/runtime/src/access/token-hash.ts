import { hash, timingSafeEqual } from 'node:crypto';

/** All that is kept of a key or token. Both are random enough that a slow hash would add nothing. */
export function hashToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

/** Whether two hashes are the same, in a time that does not tell how much of them is. */
export function isSameHash(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
