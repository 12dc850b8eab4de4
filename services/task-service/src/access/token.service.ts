import { KEY_PATTERN, type Principal } from '@baton/contracts';
import { createAuthentication, hashToken, isSameHash, type Authentication } from '@baton/runtime';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import { Loop } from '../loop.js';
import { findValidKey, touchKeys } from './key.store.js';

const TOUCH_MS = 5_000;

/** Tells who shows a key: at this service's own edge, and to services that ask for it. */
export class TokenService {
  /** Writes down which keys were used, all of some seconds in one statement. */
  readonly loop: Loop;
  private used = new Set<string>();

  constructor(
    private readonly pool: Pool,
    logger: Logger,
  ) {
    this.loop = new Loop('the last use of API keys', TOUCH_MS, () => this.writeUsed(), logger);
  }

  /** What the edge asks. `firstKey` is the key of the configuration. */
  authentication(firstKey: string | undefined): Authentication {
    const { principalOf, forget } = createAuthentication({ firstKey, look: (token) => this.look(token) });
    return {
      forget,
      principalOf: async (...shown) => {
        const principal = await principalOf(...shown);
        if (principal.keyId !== undefined) this.used.add(principal.keyId);
        return principal;
      },
    };
  }

  /** Whom a token stands for now; asks the database. */
  async check(token: string): Promise<Principal | undefined> {
    const principal = await this.look(token);
    if (principal?.keyId !== undefined) this.used.add(principal.keyId);
    return principal;
  }

  private async look(token: string): Promise<Principal | undefined> {
    if (!KEY_PATTERN.test(token)) return undefined;
    const hash = hashToken(token);
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
