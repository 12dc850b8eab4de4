import type { RetryPolicy } from '@baton/contracts';

/**
 * Milliseconds to wait before try number `retry` (1 for the first repetition): fixed `base`, linear
 * `base·retry`, exponential `base·2^(retry−1)`, each at most `cap`. With jitter a share in [0, 1) of it
 * ("full jitter": AWS Architecture Blog, "Exponential Backoff And Jitter", 2015), drawn from `seed` so that
 * the rule stays a function of its arguments.
 */
export function retryDelayMs(policy: RetryPolicy, retry: number, seed: string): number {
  const seconds = Math.min(policy.capSeconds, growth(policy, retry));
  const share = policy.jitter ? fraction(`${seed}:${retry}`) : 1;
  return Math.round(seconds * 1_000 * share);
}

function growth(policy: RetryPolicy, retry: number): number {
  switch (policy.kind) {
    case 'fixed':
      return policy.baseSeconds;
    case 'linear':
      return policy.baseSeconds * retry;
    case 'exponential':
      return policy.baseSeconds * 2 ** Math.min(retry - 1, 40);
  }
}

/** FNV-1a (32 bit, Fowler/Noll/Vo) with a final avalanche (MurmurHash3 fmix32), as a number in [0, 1). */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
