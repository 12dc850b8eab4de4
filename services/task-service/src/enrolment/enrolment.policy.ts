import type { Capability } from '@baton/contracts';

/** What an agent may announce of itself; null for whatever it says. */
export type Grant = {
  readonly capabilities: readonly Capability[] | null;
  readonly maxConcurrent: number | null;
};

/** What counts of a token that is shown. */
type Shown = {
  readonly agentId: string | null;
  readonly usedBy: string | null;
  readonly usedKey: string | null;
  readonly revokedAt: number | null;
  readonly isExpired: boolean;
};

/** Why a token does not let this agent in with this key, for the audit; undefined where it does. */
export function whyRefused(
  token: Shown | undefined,
  agentId: string,
  publicKey: string,
): 'unknown' | 'revoked' | 'expired' | 'of another agent' | 'used' | undefined {
  if (token === undefined) return 'unknown';
  if (token.revokedAt !== null) return 'revoked';
  if (token.isExpired) return 'expired';
  if (token.agentId !== null && token.agentId !== agentId) return 'of another agent';
  if (token.usedKey === null) return undefined;
  // The answer to the first request may have been lost: with its key, and that key alone, it is given again.
  return token.usedKey === publicKey && token.usedBy === agentId ? undefined : 'used';
}

/** What an agent announces beyond what it was granted, in words; undefined where there is nothing. */
export function beyondGrant(
  granted: Grant,
  said: { readonly capabilities: readonly Capability[]; readonly maxConcurrent: number },
): string | undefined {
  if (granted.maxConcurrent !== null && said.maxConcurrent > granted.maxConcurrent) {
    return `maxConcurrent ${said.maxConcurrent}, where it was granted ${granted.maxConcurrent}`;
  }
  if (granted.capabilities === null) return undefined;
  const levels = new Map(granted.capabilities.map(({ name, level }) => [name, level]));
  const beyond = said.capabilities.find(({ name, level }) => level > (levels.get(name) ?? -1));
  if (beyond === undefined) return undefined;
  const level = levels.get(beyond.name);
  const most = level === undefined ? 'without it' : `up to ${level}`;
  return `capability ${beyond.name} at level ${beyond.level}, where it was granted ${most}`;
}
