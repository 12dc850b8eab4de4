import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { KEY_PREFIX } from '@baton/contracts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LENGTH = 43;
const HINT_LENGTH = KEY_PREFIX.length + 4;

/** A new key: 32 random bytes, in letters and digits. */
export function mintKey(): string {
  let rest = BigInt(`0x${randomBytes(32).toString('hex')}`);
  let text = '';
  for (; rest > 0n; rest /= 62n) text = `${DIGITS[Number(rest % 62n)]}${text}`;
  return `${KEY_PREFIX}${text.padStart(LENGTH, '0')}`;
}

/** All that is kept of a key. It is random enough that a slow hash would add nothing. */
export function hashKey(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/** How a key begins, by which people tell theirs apart. */
export function hintOf(key: string): string {
  return `${key.slice(0, HINT_LENGTH)}…`;
}

/** Whether two hashes are the same, in a time that does not tell how much of them is. */
export function isSameHash(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
