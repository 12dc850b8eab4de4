import { DomainError, FIRST_KEY, TOKEN_CHARACTERS, type Principal } from '@baton/contracts';
import { hashToken, isSameHash } from './token-hash.js';

/** Tells who makes a request by the key or token it shows. */
export type Authentication = {
  /**
   * Whom an `Authorization` header stands for; throws `UNAUTHENTICATED`. `onStranger` is called before anything is
   * looked up for what is not known to be valid, and may throw.
   */
  readonly principalOf: (authorization: string | undefined, onStranger: () => void) => Promise<Principal>;
  /** All are looked up anew. */
  readonly forget: () => void;
};

type Known = { readonly until: number; readonly principal: Promise<Principal | undefined> };

/** How long what was found is taken without another look; with the time of a look less than 5 s. */
const KNOWN_MS = 4_000;
/** Beyond it all are forgotten: what nobody made must not fill the memory. */
const KNOWN_TOKENS = 10_000;
const BEARER = new RegExp(String.raw`^Bearer +([\x21-\x7e]{1,${TOKEN_CHARACTERS}})$`, 'i');

/** Whoever shows the first key. */
const FIRST: Principal = { actor: `user:${FIRST_KEY}`, role: 'admin' };

/** Tells whether a token is the key of the configuration, which is an admin's and in no table. */
export function firstKeyCheck(firstKey: string | undefined): (token: string) => Principal | undefined {
  if (firstKey === undefined) return () => undefined;
  const hash = hashToken(firstKey);
  return (token) => (isSameHash(hashToken(token), hash) ? FIRST : undefined);
}

/** Remembers what `look` found of each token for 4 s, by its hash: a known one costs a hash and a look into a map. */
export function createAuthentication(
  look: (token: string) => Promise<Principal | undefined>,
): Authentication {
  let known = new Map<string, Known>();
  /** Those that are known to be valid now, of `known`. */
  let valid = new WeakSet<Known>();
  return { principalOf, forget };

  async function principalOf(authorization: string | undefined, onStranger: () => void): Promise<Principal> {
    const token = BEARER.exec(authorization ?? '')?.[1];
    const principal = token === undefined ? onStranger() : await principalOfToken(token, onStranger);
    if (principal) return principal;
    throw new DomainError('UNAUTHENTICATED', authorization === undefined ? NOTHING_SHOWN : NOT_VALID);
  }

  function forget(): void {
    known = new Map();
    valid = new WeakSet();
  }

  async function principalOfToken(token: string, onStranger: () => void): Promise<Principal | undefined> {
    const id = hashToken(token).toString('base64');
    const now = performance.now();
    const found = known.get(id);
    if (found !== undefined && found.until > now) {
      if (!valid.has(found)) onStranger();
      return found.principal;
    }
    onStranger();
    if (known.size >= KNOWN_TOKENS) forget();
    const entry: Known = { until: now + KNOWN_MS, principal: look(token) };
    known.set(id, entry);
    try {
      const principal = await entry.principal;
      if (principal !== undefined) valid.add(entry);
      return principal;
    } catch (error) {
      // What is away is asked again by the next request.
      if (known.get(id) === entry) known.delete(id);
      throw error;
    }
  }
}

const NOTHING_SHOWN =
  'Expected the header "authorization: Bearer <key>", got none; an admin makes keys with POST /v1/keys';
const NOT_VALID =
  'The key or token of the header "authorization" is none, or is expired or revoked; show another one';
