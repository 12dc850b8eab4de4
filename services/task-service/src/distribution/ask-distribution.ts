import type { Bus } from '@baton/bus';
import { DomainError, errorBody, parse, type QueuedTask } from '@baton/contracts';
import { z } from 'zod';

const refusal = z.object({ ok: z.literal(false), error: errorBody });
const TIMEOUT_MS = 1_000;

/** Asks the distribution about one task. Throws `UNAVAILABLE` when no distributor answers within a second. */
export async function askDistribution<T extends z.ZodType>(
  bus: Bus,
  subject: string,
  task: QueuedTask,
  schema: T,
  which: { readonly idle?: boolean } = {},
): Promise<z.output<T>> {
  const answer = await bus.request(subject, { task, ...which }, { timeoutMs: TIMEOUT_MS });
  const refused = refusal.safeParse(answer);
  if (!refused.success) return parse(schema, answer, subject);
  const { message, retryAfterMs = TIMEOUT_MS } = refused.data.error;
  throw new DomainError('UNAVAILABLE', `The distribution answered: ${message}`, { retryAfterMs });
}
