import { z } from 'zod';
import { ROLES } from './authorization.js';
import { actor, agentId, uuid } from './words.js';

/** Who makes a request, as its key or token proved. */
export const principal = z.object({
  /** As histories and the audit name them. */
  actor,
  role: z.enum(ROLES),
  /** Of role `agent`: which one. */
  agentId: agentId.exactOptional(),
  /** The key that was shown, where it is one of the table. */
  keyId: uuid.exactOptional(),
});
export type Principal = Readonly<z.infer<typeof principal>>;

/** The longest key or token that is looked at. */
export const TOKEN_CHARACTERS = 8_192;

/** A key or token somebody shows. */
export const authCheckRequest = z.object({ token: z.string().min(1).max(TOKEN_CHARACTERS) });

/** Whom it stands for; null where it is none, or is expired or revoked. */
export const authCheckAnswer = z.object({ principal: principal.nullable() });
export type AuthCheckAnswer = Readonly<z.infer<typeof authCheckAnswer>>;
