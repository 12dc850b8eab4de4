import { expect, it } from '@jest/globals';
import { createAccount, fromPublic, fromSeed } from '@nats-io/nkeys';
import { createUserKey, pairOf } from './keys.js';

it('a key that signs quickly is the one of its seed', () => {
  const input = new TextEncoder().encode('something to sign');
  const slow = createAccount();
  const quick = pairOf(new TextDecoder().decode(slow.getSeed()));
  expect(quick.getPublicKey()).toBe(slow.getPublicKey());
  expect([...quick.sign(input)]).toEqual([...slow.sign(input)]);
});

it('a user key proves who it is by its public key', () => {
  const input = new TextEncoder().encode('a nonce');
  const key = createUserKey();
  expect(fromPublic(key.getPublicKey()).verify(input, key.sign(input))).toBe(true);
  expect(fromSeed(key.getSeed()).getPublicKey()).toBe(key.getPublicKey());
});
