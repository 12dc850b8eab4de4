import { DomainError } from '@baton/contracts';

/** What happens to a JetStream message whose handler failed. */
export type AckVerdict =
  { readonly action: 'nak'; readonly delayMs: number } | { readonly action: 'term'; readonly reason: string };

/** A message delivered this often without success is given up. */
export const MAX_DELIVERIES = 20;

const firstDelayMs = 250;
const maxDelayMs = 30_000;

/**
 * A refusal that is final ends the message; anything else is tried again. Delays after the 1st, 2nd, … delivery:
 * 0.25, 0.5, 1, 2, 4, 8, 16 s, then 30 s each; not before the error's own `retryAfterMs`, and never above 30 s.
 * The 20th failure, after about six minutes, ends the message: healing from Postgres takes over from there.
 */
export function ackPolicy(error: unknown, deliveryCount: number): AckVerdict {
  if (error instanceof DomainError && !error.retryable) {
    return { action: 'term', reason: `${error.code}: ${error.message}` };
  }
  if (deliveryCount >= MAX_DELIVERIES) {
    return { action: 'term', reason: `given up after ${deliveryCount} deliveries: ${messageOf(error)}` };
  }
  const grown = firstDelayMs * 2 ** Math.max(0, deliveryCount - 1);
  const asked = error instanceof DomainError ? (error.retryAfterMs ?? 0) : 0;
  return { action: 'nak', delayMs: Math.min(maxDelayMs, Math.max(grown, asked)) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
