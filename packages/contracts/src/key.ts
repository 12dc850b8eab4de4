import { z } from 'zod';
import { ROLES } from './authorization.js';
import { actor, agentId, timestamp, uuid } from './words.js';

/** How keys begin, so that people and scanners know one when they see it. */
export const KEY_PREFIX = 'baton_';
/** What counts as a key; those that Baton makes have 43 letters and digits, which is 32 random bytes. */
export const KEY_PATTERN = /^baton_[A-Za-z0-9]{32,128}$/;

/** The key that comes from the configuration and can make the others. */
export const FIRST_KEY = 'local';

/** What a key is called, in histories too (`user:<name>`): never given twice, and not the name of the first key. */
const keyName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
    'expected 1 to 63 of A-Z a-z 0-9 _ . -, a letter or digit first',
  )
  .refine(
    (name) => name !== FIRST_KEY,
    `expected another name than ${FIRST_KEY}, which is that of the first key`,
  );

export const createKey = z
  .strictObject({
    name: keyName,
    role: z.enum(ROLES),
    /** Of role `agent`: the agent that the key speaks for. */
    agentId: agentId.exactOptional(),
    expiresAt: timestamp.exactOptional(),
  })
  .refine(({ role, agentId: agent }) => (role === 'agent') === (agent !== undefined), {
    path: ['agentId'],
    message: 'expected an agent for the role agent, and none for any other role',
  });
export type CreateKey = z.output<typeof createKey>;

export const keyView = z.object({
  id: uuid,
  name: z.string(),
  role: z.enum(ROLES),
  agentId: agentId.nullable(),
  /** How the key begins. */
  hint: z.string(),
  createdBy: actor,
  createdAt: timestamp,
  expiresAt: timestamp.nullable(),
  /** Written every few seconds while it is in use. */
  lastUsedAt: timestamp.nullable(),
  revokedAt: timestamp.nullable(),
});
export type KeyView = z.infer<typeof keyView>;

/** The only time the key itself is shown. */
export const newKey = keyView.extend({ key: z.string() });
export type NewKey = z.infer<typeof newKey>;

export const listKeys = z.strictObject({
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type ListKeys = z.output<typeof listKeys>;
