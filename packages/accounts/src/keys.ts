import { createPrivateKey, sign } from 'node:crypto';
import { createAccount, createOperator, createUser, fromSeed, type KeyPair } from '@nats-io/nkeys';

/** Everything from which accounts and credentials are made, as seeds. Whoever has them is everybody. */
export type AccountKeys = {
  /** Trusts the keys below; to be kept away from servers. */
  readonly operator: string;
  /** Signs accounts in the operator's name. */
  readonly operatorSigning: string;
  readonly system: string;
  readonly core: string;
  readonly agents: string;
  /** Signs users that can only be agents. */
  readonly agentsSigning: string;
};

/** Makes new keys. */
export function createKeys(): AccountKeys {
  const account = () => seedOf(createAccount());
  return {
    operator: seedOf(createOperator()),
    operatorSigning: seedOf(createOperator()),
    system: account(),
    core: account(),
    agents: account(),
    agentsSigning: account(),
  };
}

/** The fields of `AccountKeys`. */
export const keyNames = ['operator', 'operatorSigning', 'system', 'core', 'agents', 'agentsSigning'] as const;

export function pairOf(seed: string): KeyPair {
  return quick(fromSeed(new TextEncoder().encode(seed)));
}

export function publicKeyOf(seed: string): string {
  return pairOf(seed).getPublicKey();
}

/** A key of a user's own, with which it proves who it is. */
export function createUserKey(): KeyPair {
  return quick(createUser());
}

/**
 * The same pair, which does its slow work once. The library derives the key again for whatever it is asked, in plain
 * JavaScript: credentials of an agent took 26 ms in which nothing else ran, and take half of it this way.
 */
function quick(pair: KeyPair): KeyPair {
  const publicKey = pair.getPublicKey();
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_OF_ED25519, rawSeedOf(pair)]),
    format: 'der',
    type: 'pkcs8',
  });
  return Object.assign(Object.create(pair) as KeyPair, {
    getPublicKey: () => publicKey,
    // Asked for by the library only to see that there is one.
    getPrivateKey: () => pair.getSeed(),
    sign: (input: Uint8Array) => new Uint8Array(sign(null, input, key)),
  });
}

const PKCS8_OF_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The 32 bytes of a seed, which stand behind two of its kind and before two of a check sum. */
function rawSeedOf(pair: KeyPair): Buffer {
  const bits = Array.from(seedOf(pair), (letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join(
    '',
  );
  const bytes = bits.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.slice(2, 34).map((byte) => Number.parseInt(byte, 2)));
}

function seedOf(pair: KeyPair): string {
  return new TextDecoder().decode(pair.getSeed());
}
