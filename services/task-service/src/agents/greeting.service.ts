import type { Goodbye, GoodbyeAnswer, Hello, HelloAnswer } from '@baton/contracts';
import type { Pool } from '../database/database.js';
import { findFleet, findHeld } from './agent.store.js';
import { findInbox } from './inbox.store.js';
import type { OfferService } from './offer.service.js';
import type { SessionService } from './session.service.js';

const INBOX_PAGE = 100;

/** Answers an agent's hello with everything that is its own, derived from Postgres: there is no queue per agent. */
export class GreetingService {
  constructor(
    private readonly pool: Pool,
    private readonly sessions: SessionService,
    private readonly offers: OfferService,
  ) {}

  async hello(id: string, hello: Hello): Promise<HelloAnswer> {
    const { epoch, heartbeatMs, expireMs } = await this.sessions.hello(id, hello);
    const held = (await findHeld(this.pool, [id])).filter(
      ({ status, holderEpoch }) => status === 'assigned' || holderEpoch === epoch,
    );
    const [assignments, inbox, [entry]] = await Promise.all([
      this.offers.assignmentsOf(held),
      findInbox(this.pool, id, INBOX_PAGE),
      findFleet(this.pool, { agentIds: [id], limit: 1 }),
    ]);
    return {
      ok: true,
      epoch,
      heartbeatMs,
      expireMs,
      assignments,
      inbox,
      connections: entry?.connections ?? [],
    };
  }

  async goodbye(id: string, goodbye: Goodbye): Promise<GoodbyeAnswer> {
    return { ok: true, status: await this.sessions.goodbye(id, goodbye) };
  }
}
