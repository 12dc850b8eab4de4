/** Entries that may still be written at once, as of `at` (milliseconds). */
type Allowance = { left: number; at: number };

/** How much the audit log may grow by what others send. Changed in place, as every refusal asks it. */
export type AuditLimit = { readonly all: Allowance; readonly each: Map<string, Allowance> };

/** Who caused an entry, by what. */
type Sent = { readonly actor: string; readonly action: string };

type Rate = { readonly burst: number; readonly perSecond: number };

/** A bad moment of one agent is kept whole (it may lose hundreds of tasks at once), a flood of it is not. */
const EACH: Rate = { burst: 1_000, perSecond: 1 };
/** However many senders there are: less than a million rows a day and process. */
const ALL: Rate = { burst: 10_000, perSecond: 10 };
const SENDERS_REMEMBERED = 10_000;

export function createAuditLimit(now: number): AuditLimit {
  return { all: { left: ALL.burst, at: now }, each: new Map() };
}

/**
 * Whether an entry is to be kept. What users and Baton itself do always is; of agents, and of what
 * is refused to people, at most so much for each one and
 * action, and so much of all together.
 */
export function admits(limit: AuditLimit, { actor, action }: Sent, now: number): boolean {
  if (!actor.startsWith('agent:') && action !== 'access.refused') return true;
  const key = `${actor} ${action}`;
  const own = limit.each.get(key) ?? { left: EACH.burst, at: now };
  // To forget all of them now and then costs little: the limit of all together holds on.
  if (limit.each.size >= SENDERS_REMEMBERED) limit.each.clear();
  limit.each.set(key, own);
  refill(own, EACH, now);
  refill(limit.all, ALL, now);
  if (own.left < 1 || limit.all.left < 1) return false;
  own.left -= 1;
  limit.all.left -= 1;
  return true;
}

function refill(allowance: Allowance, { burst, perSecond }: Rate, now: number): void {
  const seconds = Math.max(0, now - allowance.at) / 1_000;
  allowance.left = Math.min(burst, allowance.left + seconds * perSecond);
  allowance.at = now;
}
