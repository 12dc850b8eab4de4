import { DomainError, FIRST_KEY, KEY_PATTERN } from '@baton/contracts';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { Loop } from '../loop.js';
import { hashKey, isSameHash } from './key.secret.js';
import { findValidKey, touchKeys } from './key.store.js';
import type { Principal } from './principal.js';

/** How long a checked key is taken without asking the database; with the time of a query less than 5 s. */
const KNOWN_MS = 4_000;
/** Beyond it all are forgotten: what nobody made must not fill the memory. */
const KNOWN_KEYS = 10_000;
const TOUCH_MS = 5_000;

/** Whoever shows the first key. */
const FIRST: Principal = { actor: `user:${FIRST_KEY}`, role: 'admin' };

type Known = { readonly until: number; readonly principal: Promise<Principal | undefined> };

/** Tells who makes a request by the key it shows. A known key costs a hash and a look into a map, no query. */
export class Authentication {
  /** Writes down which keys were used, all of some seconds in one statement. */
  readonly loop: Loop;
  private readonly firstHash: Buffer | undefined;
  private known = new Map<string, Known>();
  private used = new Set<string>();

  constructor(
    private readonly pool: Pool,
    logger: Logger,
    /** The key of the configuration: an admin's, in no table. */
    firstKey: string | undefined,
  ) {
    this.firstHash = firstKey === undefined ? undefined : hashKey(firstKey);
    this.loop = new Loop('the last use of API keys', TOUCH_MS, () => this.writeUsed(), logger);
  }

  /** Whom an `Authorization` header stands for; throws `UNAUTHENTICATED`. */
  async principalOf(authorization: string | undefined): Promise<Principal> {
    if (authorization === undefined) {
      throw new DomainError(
        'UNAUTHENTICATED',
        'Expected the header "authorization: Bearer <key>", got none; an admin makes keys with POST /v1/keys',
      );
    }
    const [, token] = /^Bearer +([\x21-\x7e]{1,8192})$/i.exec(authorization) ?? [];
    const principal = token === undefined ? undefined : await this.principalOfToken(token);
    if (principal === undefined) {
      throw new DomainError(
        'UNAUTHENTICATED',
        'The key or token of the header "authorization" is none, or is expired or revoked; show another one',
      );
    }
    if (principal.keyId !== undefined) this.used.add(principal.keyId);
    return principal;
  }

  /** All keys are looked up anew. */
  forget(): void {
    this.known = new Map();
  }

  private async principalOfToken(token: string): Promise<Principal | undefined> {
    if (!KEY_PATTERN.test(token)) return undefined;
    const hash = hashKey(token);
    if (this.firstHash !== undefined && isSameHash(hash, this.firstHash)) {
      return FIRST;
    }
    const id = hash.toString('base64');
    const now = performance.now();
    const known = this.known.get(id);
    if (known !== undefined && known.until > now) return known.principal;
    if (this.known.size >= KNOWN_KEYS) this.forget();
    const principal = this.look(hash);
    this.known.set(id, { until: now + KNOWN_MS, principal });
    // A database that is away is asked again by the next request.
    principal.catch(() => this.known.delete(id));
    return principal;
  }

  private async look(hash: Buffer): Promise<Principal | undefined> {
    const key = await findValidKey(this.pool, hash);
    if (key === undefined || !isSameHash(key.hash, hash)) return undefined;
    const { id: keyId, name, role, agentId } = key;
    if (agentId !== null) return { actor: `agent:${agentId}`, role, agentId, keyId };
    return { actor: `user:${name}`, role, keyId };
  }

  private async writeUsed(): Promise<void> {
    const { used } = this;
    if (used.size === 0) return;
    this.used = new Set();
    await touchKeys(this.pool, [...used]);
  }
}
