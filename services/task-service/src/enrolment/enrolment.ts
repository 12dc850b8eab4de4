import { createAgentSigner, readAuthority } from '@baton/accounts';
import type { FleetAnnouncer } from '../agents/fleet.events.js';
import type { Pool } from '../database/database.js';
import type { Cursors } from '../tasks/cursor.js';
import { EnrolmentService } from './enrolment.service.js';
import { EnrolmentTokens } from './enrolment-token.service.js';

/** How agents come by credentials, and the tokens for it. */
export type Enrolment = { readonly service: EnrolmentService; readonly tokens: EnrolmentTokens };

type Parts = {
  readonly pool: Pool;
  readonly announcer: FleetAnnouncer;
  readonly cursors: Cursors;
  readonly mintId: () => string;
};

/** Wires it; `authority` is what credentials are signed with, where there is something. */
export function createEnrolment({ pool, announcer, cursors, mintId }: Parts, authority?: string): Enrolment {
  const sign = authority === undefined ? undefined : createAgentSigner(issuerIn(authority));
  return {
    service: new EnrolmentService(pool, announcer, sign),
    tokens: new EnrolmentTokens(pool, cursors, mintId),
  };
}

function issuerIn(authority: string) {
  const { account, agentsSigning: seed } = readAuthority(authority);
  return { account, seed };
}
