import { z } from 'zod';

/** One token of a NATS subject: `A-Za-z0-9_-`, 1–64. Never reused once an agent had it. */
export const agentId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 _ -');
export const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, {
  message: 'expected a lower-case UUID',
});
/** A word that groups tasks or names a capability. */
export const word = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$/, {
  message: 'expected a word of 1 to 100: a letter or digit, then A-Z a-z 0-9 _ . : / -',
});
/** ISO 8601 with an offset, no later than the year 9999 in UTC: later ones have no four-digit form to be shown in. */
export const timestamp = z.iso
  .datetime({ offset: true })
  .refine((value) => Date.parse(value) < Date.UTC(10_000, 0), 'expected a time before the year 10000 in UTC');
/** W3C trace context of the request that caused something. */
export const traceparent = z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 visible ASCII characters');

/** Who issued a command, as `kind:id`: `agent:planner`, `user:local`, `service:distribution`, `system:timer`. */
export const actor = z.templateLiteral([z.enum(['agent', 'user', 'service', 'system']), ':', z.string()]);
export type Actor = z.infer<typeof actor>;

/** The agent id of an actor that is an agent. */
export function agentOf(who: Actor): string | undefined {
  return who.startsWith('agent:') ? who.slice('agent:'.length) : undefined;
}
