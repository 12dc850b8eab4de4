import type { Logger } from 'pino';
import type { Config } from '../config.js';
import type { Pool } from '../database/database.js';
import type { Cursors } from '../tasks/cursor.js';
import type { TaskReading } from '../tasks/task.reading.service.js';
import { AccessService } from './access.service.js';
import { createTokenVerifier } from './jwt.js';
import { KeyService } from './key.service.js';
import { TokenService } from './token.service.js';

/** Who asks, what they may, and the keys they show. */
export type Access = {
  readonly service: AccessService;
  readonly tokens: TokenService;
  readonly keys: KeyService;
};

type Parts = {
  readonly pool: Pool;
  readonly reading: TaskReading;
  readonly cursors: Cursors;
  readonly mintId: () => string;
  readonly logger: Logger;
};

/** Wires it. */
export function createAccess({ pool, reading, cursors, mintId, logger }: Parts, config: Config): Access {
  const { BATON_OIDC_ISSUER: issuer, BATON_ADMIN_KEY: firstKey } = config;
  const { BATON_OIDC_AUDIENCE: audience, BATON_OIDC_ROLES_CLAIM: rolesClaim } = config;
  const verify = issuer === undefined ? undefined : createTokenVerifier({ issuer, audience, rolesClaim });
  const tokens = new TokenService(pool, logger, { firstKey, verify });
  const keys = new KeyService(pool, tokens.authentication, cursors, mintId);
  return { service: new AccessService(pool, reading), tokens, keys };
}
