import { KEY_PATTERN, type Principal } from '@baton/contracts';
import {
  createAuthentication,
  firstKeyCheck,
  hashToken,
  isSameHash,
  type Authentication,
} from '@baton/runtime';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { Loop } from '../loop.js';
import { findValidKey, touchKeys } from './key.store.js';

/** What is known beside the table. */
type KnownBeside = {
  /** The key of the configuration. */
  readonly firstKey: string | undefined;
  /** Checks tokens of an issuer, where there is one. */
  readonly verify: ((token: string) => Promise<Principal | undefined>) | undefined;
};

const TOUCH_MS = 5_000;

/** Tells who shows a key or a token: at this service's own edge, and to services that ask for it. */
export class TokenService {
  /** What the edge asks. */
  readonly authentication: Authentication;
  /** Writes down which keys were used, all of some seconds in one statement. */
  readonly loop: Loop;
  private readonly verify: KnownBeside['verify'];
  private readonly firstKey: (token: string) => Principal | undefined;
  private used = new Set<string>();

  constructor(
    private readonly pool: Pool,
    logger: Logger,
    { firstKey, verify }: KnownBeside,
  ) {
    this.firstKey = firstKeyCheck(firstKey);
    this.verify = verify;
    this.loop = new Loop('the last use of API keys', TOUCH_MS, () => this.writeUsed(), logger);
    const { principalOf, forget } = createAuthentication((token) => this.look(token));
    this.authentication = {
      forget,
      principalOf: async (...shown) => this.marked(await principalOf(...shown)),
    };
  }

  /** Whom a token stands for now, without what is remembered of it. */
  async check(token: string): Promise<Principal | undefined> {
    const principal = await this.look(token);
    return principal && this.marked(principal);
  }

  private async look(token: string): Promise<Principal | undefined> {
    if (!KEY_PATTERN.test(token)) return this.verify?.(token);
    const first = this.firstKey(token);
    if (first !== undefined) return first;
    const hash = hashToken(token);
    const key = await findValidKey(this.pool, hash);
    if (key === undefined || !isSameHash(key.hash, hash)) return undefined;
    const { id: keyId, name, role, agentId } = key;
    if (agentId !== null) return { actor: `agent:${agentId}`, role, agentId, keyId };
    return { actor: `user:${name}`, role, keyId };
  }

  private marked(principal: Principal): Principal {
    if (principal.keyId !== undefined) this.used.add(principal.keyId);
    return principal;
  }

  private async writeUsed(): Promise<void> {
    const { used } = this;
    if (used.size === 0) return;
    this.used = new Set();
    await touchKeys(this.pool, [...used]);
  }
}
