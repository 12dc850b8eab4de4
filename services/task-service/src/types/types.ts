import type { Bus } from '@baton/bus';
import type { Logger } from 'pino';
import type { Pool } from '../database/database.js';
import type { Loop } from '../loop.js';
import type { Cursors } from '../tasks/cursor.js';
import type { PolicyService } from '../policies/policy.service.js';
import { AdmissionService } from './admission.service.js';
import { HoldService } from './hold.service.js';
import { TypeRegistry } from './type.registry.js';
import { TypeService } from './type.service.js';

/** All that task types are about. */
export type Types = {
  readonly admission: AdmissionService;
  readonly holds: HoldService;
  readonly service: TypeService;
  /** Looks for changes other replicas made. */
  readonly loop: Loop;
};

/** Rejects when the registered types cannot be read: nothing may be admitted without them. */
export async function createTypes({
  pool,
  bus,
  logger,
  cursors,
  policies,
}: {
  readonly pool: Pool;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly cursors: Cursors;
  readonly policies: PolicyService;
}): Promise<Types> {
  const registry = new TypeRegistry(pool, bus, logger);
  await registry.refresh();
  return {
    admission: new AdmissionService(pool, registry, policies),
    holds: new HoldService(pool, bus, registry),
    service: new TypeService(pool, bus, registry, cursors),
    loop: registry.loop,
  };
}
