import { z } from 'zod';
import { LIMITS } from './limits.js';
import { capability } from './task.js';
import { actor, agentId, timestamp, uuid } from './words.js';

/** How enrolment tokens begin, so that people and scanners know one when they see it. */
export const ENROLMENT_PREFIX = 'baton_enrol_';

/** The longest that credentials of an agent are valid, and how long they are unless said. */
const CREDENTIALS_SECONDS = 86_400;

const capabilities = z.array(capability).max(LIMITS.capabilities);
const maxConcurrent = z.number().int().min(1).max(10_000);

/** The public half of an nkey of a user: the agent made the pair, and keeps the other half to itself. */
const userKey = z
  .string()
  .regex(/^U[A-Z2-7]{55}$/, 'expected the public key of an nkey of a user: U and 55 of A-Z 2-7');

const lifetimeSeconds = z.number().int().min(10).max(CREDENTIALS_SECONDS).default(CREDENTIALS_SECONDS);

/** What an operator says to let one agent enrol itself. */
export const createEnrolmentToken = z.strictObject({
  /** The only agent that may use it; without one, any that is new. */
  agentId: agentId.exactOptional(),
  expiresInSeconds: z.number().int().min(1).max(604_800).default(3_600),
  /** All that the agent may announce of itself, each at most at this level; without them whatever it says. */
  capabilities: capabilities.exactOptional(),
  maxConcurrent: maxConcurrent.exactOptional(),
});
export type CreateEnrolmentToken = z.output<typeof createEnrolmentToken>;

export const enrolmentTokenView = z.object({
  id: uuid,
  agentId: agentId.nullable(),
  /** How the token begins. */
  hint: z.string(),
  capabilities: z.array(capability).readonly().nullable(),
  maxConcurrent: maxConcurrent.nullable(),
  createdBy: actor,
  createdAt: timestamp,
  expiresAt: timestamp,
  /** By which agent. */
  usedBy: agentId.nullable(),
  usedAt: timestamp.nullable(),
  revokedAt: timestamp.nullable(),
});
export type EnrolmentTokenView = z.infer<typeof enrolmentTokenView>;

/** The only time the token itself is shown. */
export const newEnrolmentToken = enrolmentTokenView.extend({ token: z.string() });
export type NewEnrolmentToken = z.infer<typeof newEnrolmentToken>;

export const listEnrolmentTokens = z.strictObject({
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type ListEnrolmentTokens = z.output<typeof listEnrolmentTokens>;

/** What an agent says to exchange its token for credentials. */
export const enrolAgent = z.strictObject({
  token: z
    .string()
    .regex(/^baton_enrol_[A-Za-z0-9]{32,128}$/, 'expected baton_enrol_ and 32 to 128 letters and digits'),
  agentId,
  publicKey: userKey,
  lifetimeSeconds,
});
export type EnrolAgent = z.output<typeof enrolAgent>;

/** A key to make credentials for. */
export const issueCredentials = z.strictObject({ publicKey: userKey, lifetimeSeconds });
export type IssueCredentials = z.output<typeof issueCredentials>;

/** The same from an agent, whose messages may carry more. */
export const callRenew = z.object(issueCredentials.shape);

/** What becomes a `.creds` file together with the secret half of the key, which only the agent has. */
export const issuedCredentials = z.object({
  agentId,
  publicKey: userKey,
  /** The user JWT of NATS, signed by the account of agents. */
  jwt: z.string(),
  expiresAt: timestamp,
});
export type IssuedCredentials = z.infer<typeof issuedCredentials>;
