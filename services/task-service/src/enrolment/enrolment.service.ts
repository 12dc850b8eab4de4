import { isUserKey, type AgentSigner } from '@baton/accounts';
import {
  DomainError,
  registerAgent,
  type Actor,
  type EnrolAgent,
  type IssueCredentials,
  type IssuedCredentials,
} from '@baton/contracts';
import { hashToken } from '@baton/runtime';
import { insertAgent, lockAgent, wasRemoved } from '../agents/agent.store.js';
import { fleetData, insertFleetEvents, type FleetAnnouncer } from '../agents/fleet.events.js';
import type { Client, Pool } from '../database/database.js';
import { inTransaction } from '../database/transaction.js';
import type { OutboxRow } from '../outbox/outbox.store.js';
import { iso } from '../tasks/task.events.js';
import type { Caller } from '../tasks/task.service.js';
import { answerOnce, type Answered } from '../write-path/answer.keys.js';
import { writeAudit } from '../write-path/audit.service.js';
import { whyRefused } from './enrolment.policy.js';
import * as store from './enrolment.store.js';

/** How agents come by credentials: by a token of an operator, by an operator, or by those that they have. */
export class EnrolmentService {
  constructor(
    private readonly pool: Pool,
    private readonly announcer: FleetAnnouncer,
    /** Undefined where the service has no key to sign with. */
    private readonly sign: AgentSigner | undefined,
  ) {}

  /** Exchanges a token. Of several at once the first wins; what is refused says not why, but the audit does. */
  async enrol({ token, agentId, publicKey, lifetimeSeconds }: EnrolAgent): Promise<IssuedCredentials> {
    expectUserKey(publicKey);
    const sign = this.expectSigner();
    const actor: Actor = `agent:${agentId}`;
    const outcome = await inTransaction(this.pool, async (db) => {
      const shown = await store.lockToken(db, hashToken(token));
      const reason = whyRefused(shown, agentId, publicKey);
      if (shown === undefined || reason !== undefined) return { refused: reason, tokenId: shown?.id };
      const entered = await this.enterOnce(db, shown, agentId);
      if ('refused' in entered) return { refused: entered.refused, tokenId: shown.id };
      await store.useToken(db, shown.id, agentId, publicKey);
      const made = { publicKey, agentId, issuedBy: actor, seconds: lifetimeSeconds };
      const expiresAt = await store.saveCredentials(db, made);
      if (expiresAt === undefined) throw keyTaken(publicKey);
      const detail = { token: shown.id, publicKey };
      await writeAudit(db, [{ actor, action: 'agent.enrol', subject: agentId, code: null, detail }]);
      return { expiresAt, outbox: entered.outbox };
    });
    if ('expiresAt' in outcome) {
      if (outcome.outbox) await this.announcer.announce(outcome.outbox, [agentId]);
      return answer(sign, agentId, publicKey, outcome.expiresAt);
    }
    const { refused, tokenId } = outcome;
    // Tokens that nobody made could fill the log.
    if (tokenId !== undefined) {
      const detail = { token: tokenId, reason: refused };
      const code = 'ENROLMENT_REFUSED';
      await writeAudit(this.pool, [{ actor, action: 'agent.enrol', subject: agentId, code, detail }]);
    }
    throw new DomainError(
      'ENROLMENT_REFUSED',
      `The token does not enrol agent ${agentId}: it is none, or is used, expired, revoked or for another agent; ask an operator for a new one`,
    );
  }

  /** For an agent that is registered, whatever credentials it has. */
  issue(id: string, wanted: IssueCredentials, caller: Caller): Promise<Answered<IssuedCredentials>> {
    return answerOnce(this.pool, caller.idempotency, async () => {
      const made = await this.make(id, wanted, caller.actor, 'agent.credentials');
      if (made !== undefined) return made;
      throw new DomainError('AGENT_NOT_FOUND', `No agent ${id} is registered`);
    });
  }

  /** What an agent asks for that is connected, and so has credentials. */
  async renew(id: string, wanted: IssueCredentials): Promise<IssuedCredentials> {
    const made = await this.make(id, wanted, `agent:${id}`, 'agent.renew');
    if (made !== undefined) return made;
    const message = `Agent ${id} is not registered: it gets no further credentials; ask an operator`;
    throw new DomainError('ENROLMENT_REFUSED', message);
  }

  private async make(
    agentId: string,
    { publicKey, lifetimeSeconds: seconds }: IssueCredentials,
    actor: Actor,
    action: string,
  ): Promise<IssuedCredentials | undefined> {
    expectUserKey(publicKey);
    const sign = this.expectSigner();
    const expiresAt = await inTransaction(this.pool, async (db) => {
      if ((await lockAgent(db, agentId)) === undefined) return undefined;
      const saved = await store.saveCredentials(db, { publicKey, agentId, issuedBy: actor, seconds });
      if (saved === undefined) throw keyTaken(publicKey);
      await writeAudit(db, [{ actor, action, subject: agentId, code: null, detail: { publicKey } }]);
      return saved;
    });
    return expiresAt === undefined ? undefined : answer(sign, agentId, publicKey, expiresAt);
  }

  /** A repetition changes nothing, and gives nothing to an agent that was removed meanwhile. */
  private async enterOnce(db: Client, token: store.ShownToken, id: string): Promise<Entered> {
    if (token.usedKey === null) return this.enter(db, token, id);
    if ((await lockAgent(db, id)) === undefined) throw idRemoved(id);
    return { outbox: undefined };
  }

  /** Registers an agent that is new, and notes what it may announce. */
  private async enter(db: Client, token: store.ShownToken, id: string): Promise<Entered> {
    const { capabilities, maxConcurrent } = token;
    const said = {
      id,
      capabilities: capabilities ?? [],
      ...(maxConcurrent === null ? {} : { maxConcurrent }),
    };
    const isNew = await insertAgent(db, registerAgent.parse(said));
    if (isNew && (await wasRemoved(db, id))) throw idRemoved(id);
    // Whoever has a token for any agent must not become one that is there.
    if (!isNew && token.agentId === null) return { refused: 'for new agents alone' };
    await store.saveGrant(db, id, token);
    if (!isNew) return { outbox: undefined };
    const row = await lockAgent(db, id);
    if (row === undefined) throw new Error(`agent ${id} is not there after it was written`);
    const data = fleetData(row, 'enrolled');
    return { outbox: await insertFleetEvents(db, [{ type: 'fleet.registered', agentId: id, data }]) };
  }

  private expectSigner(): AgentSigner {
    if (this.sign !== undefined) return this.sign;
    throw new DomainError(
      'NOT_CONFIGURED',
      'Baton has no key to sign credentials with: set BATON_NATS_AUTHORITY_FILE of task-service',
    );
  }
}

type Entered = { readonly outbox: OutboxRow | undefined } | { readonly refused: string };

async function answer(
  sign: AgentSigner,
  agentId: string,
  publicKey: string,
  expiresAt: number,
): Promise<IssuedCredentials> {
  const jwt = await sign(agentId, publicKey, new Date(expiresAt));
  return { agentId, publicKey, jwt, expiresAt: iso(expiresAt) };
}

function expectUserKey(publicKey: string): void {
  if (isUserKey(publicKey)) return;
  const detail = 'expected the public key of an nkey of a user, with its check sum';
  throw new DomainError('VALIDATION_FAILED', `Credentials: /publicKey ${detail}`, {
    details: { errors: [{ pointer: '/publicKey', code: 'custom', detail }] },
  });
}

function keyTaken(publicKey: string): DomainError {
  const message = `The key ${publicKey} is another agent's or was revoked; make a new pair`;
  return new DomainError('ENROLMENT_REFUSED', message);
}

function idRemoved(id: string): DomainError {
  const message = `Agent ${id} was removed; its id is never given again: take another`;
  return new DomainError('ENROLMENT_REFUSED', message);
}
