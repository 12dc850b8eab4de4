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
/** Of the valid and of the others alike; beyond it all of them are forgotten. */
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
  /** Apart, so that whoever makes up tokens by the thousand has no valid one forgotten. */
  const valid = new Map<string, Known>();
  const others = new Map<string, Known>();
  return { principalOf, forget };

  async function principalOf(authorization: string | undefined, onStranger: () => void): Promise<Principal> {
    const token = BEARER.exec(authorization ?? '')?.[1];
    const principal = token === undefined ? onStranger() : await principalOfToken(token, onStranger);
    if (principal) return principal;
    throw new DomainError('UNAUTHENTICATED', authorization === undefined ? NOTHING_SHOWN : NOT_VALID);
  }

  function forget(): void {
    valid.clear();
    others.clear();
  }

  function current(id: string): Known | undefined {
    return valid.get(id) ?? others.get(id);
  }

  function move(id: string, entry: Known, to: Map<string, Known>): void {
    valid.delete(id);
    others.delete(id);
    keep(to, id, entry);
  }

  async function principalOfToken(token: string, onStranger: () => void): Promise<Principal | undefined> {
    const id = hashToken(token).toString('base64');
    // One that was valid is no stranger when it is looked up again, or a flood of others would lock it out.
    const wasValid = valid.has(id);
    const found = current(id);
    if (!wasValid) onStranger();
    const now = performance.now();
    if (found !== undefined && found.until > now) return found.principal;
    const entry: Known = { until: now + KNOWN_MS, principal: look(token) };
    keep(wasValid ? valid : others, id, entry);
    try {
      const principal = await entry.principal;
      // Unless all were forgotten meanwhile.
      if (current(id) === entry) move(id, entry, principal === undefined ? others : valid);
      return principal;
    } catch (error) {
      // What is away is asked again by the next request.
      if (current(id) === entry) move(id, { ...entry, until: 0 }, wasValid ? valid : others);
      throw error;
    }
  }
}

function keep(known: Map<string, Known>, id: string, entry: Known): void {
  if (known.size >= KNOWN_TOKENS && !known.has(id)) known.clear();
  known.set(id, entry);
}

const NOTHING_SHOWN =
  'Expected the header "authorization: Bearer <key>", got none; an admin makes keys with POST /v1/keys';
const NOT_VALID =
  'The key or token of the header "authorization" is none, or is expired or revoked; show another one';
