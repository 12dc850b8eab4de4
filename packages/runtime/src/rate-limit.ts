import { DomainError } from '@baton/contracts';

/** How often something may be done by each of many. */
export type RatePolicy = {
  /** As people read it: `key`, `address`, `agent`. */
  readonly name: string;
  /** Over time; 0 is no limit. */
  readonly perSecond: number;
};

/** What is left to somebody. */
export type Allowance = {
  readonly policy: string;
  /** At once, when nothing was done for a while. */
  readonly quota: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  /** Until all of it is there again. */
  readonly resetSeconds: number;
  /** Of a refusal: until one is allowed. */
  readonly retryAfterMs: number | undefined;
};

/** Counts what each of many does. */
export type RateLimit = {
  /** Counts one more of somebody, unless nothing is left to it; undefined where there is no limit. */
  take(who: string): Allowance | undefined;
};

type Bucket = { tokens: number; at: number };

/** What may be done at once is what may be done in so many seconds. */
const WINDOW_SECONDS = 2;
/** About 10 MB. Beyond it those not seen of late are forgotten early, so that nobody can fill the memory by many names. */
const MAX_KNOWN = 50_000;

/**
 * Token buckets, in this process alone: one look into a map for each. A bucket nobody took from for a window is full,
 * and so need not be kept: of two generations of a window each the older one is let go, without a look at any.
 */
export function createRateLimit(
  { name, perSecond }: RatePolicy,
  now: () => number = () => performance.now(),
): RateLimit {
  const quota = Math.max(1, perSecond * WINDOW_SECONDS);
  const windowMs = WINDOW_SECONDS * 1_000;
  let [current, older] = [new Map<string, Bucket>(), new Map<string, Bucket>()];
  let turnedAt = now();
  return { take: perSecond === 0 ? () => undefined : take };

  function take(who: string): Allowance {
    const at = now();
    const bucket = bucketOf(who, at);
    bucket.tokens = Math.min(quota, bucket.tokens + ((at - bucket.at) / 1_000) * perSecond);
    bucket.at = at;
    const isAllowed = bucket.tokens >= 1;
    if (isAllowed) bucket.tokens -= 1;
    return {
      policy: name,
      quota,
      windowSeconds: WINDOW_SECONDS,
      remaining: Math.floor(bucket.tokens),
      resetSeconds: Math.ceil((quota - bucket.tokens) / perSecond),
      retryAfterMs: isAllowed ? undefined : Math.ceil(((1 - bucket.tokens) / perSecond) * 1_000),
    };
  }

  function bucketOf(who: string, at: number): Bucket {
    if (at - turnedAt >= windowMs || current.size >= MAX_KNOWN) {
      [current, older] = [new Map(), current];
      turnedAt = at;
    }
    const known = current.get(who) ?? older.get(who) ?? { tokens: quota, at };
    current.set(who, known);
    return known;
  }
}

/** Throws `RATE_LIMITED` for what was refused. */
export function expectAllowed(allowance: Allowance | undefined): void {
  if (allowance?.retryAfterMs === undefined) return;
  const { policy, quota, windowSeconds, retryAfterMs } = allowance;
  throw new DomainError(
    'RATE_LIMITED',
    `Expected at most ${quota} requests of one ${policy} in ${windowSeconds} s, got more; try again in ${retryAfterMs} ms`,
    { retryAfterMs },
  );
}
