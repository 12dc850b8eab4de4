import { randomBytes } from 'node:crypto';
import { KEY_PREFIX } from '@baton/contracts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LENGTH = 43;
const HINT_DIGITS = 4;

/** A new key, or what else begins with a prefix: 32 random bytes, in letters and digits. */
export function mintKey(prefix: string = KEY_PREFIX): string {
  let rest = BigInt(`0x${randomBytes(32).toString('hex')}`);
  let text = '';
  for (; rest > 0n; rest /= 62n) text = `${DIGITS[Number(rest % 62n)]}${text}`;
  return `${prefix}${text.padStart(LENGTH, '0')}`;
}

/** How a key begins, by which people tell theirs apart. */
export function hintOf(key: string): string {
  return `${key.slice(0, key.lastIndexOf('_') + 1 + HINT_DIGITS)}…`;
}
