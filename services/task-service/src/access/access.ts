import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import type { Cursors } from '../tasks/cursor.js';
import type { TaskReading } from '../tasks/task.reading.service.js';
import { AccessService } from './access.service.js';
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

/** Wires it; `firstKey` is the key of the configuration. */
export function createAccess({ pool, reading, cursors, mintId, logger }: Parts, firstKey?: string): Access {
  const tokens = new TokenService(pool, logger, firstKey);
  const keys = new KeyService(pool, tokens.authentication, cursors, mintId);
  return { service: new AccessService(reading), tokens, keys };
}
