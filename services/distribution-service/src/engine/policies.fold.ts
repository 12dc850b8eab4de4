import { DEFAULT_POLICY, type PolicyEntry } from '@baton/contracts';
import { POLICIES, toPolicy, type Policy } from './policies.scoring.js';

/** The latest version known of each policy, by name. */
export type KnownPolicies = Map<string, Policy>;

/** Those there always are. */
export function createPolicies(): KnownPolicies {
  return new Map(Object.entries(POLICIES));
}

/** Takes in a policy somebody put. Hints come in any order: the highest version counts. */
export function applyPolicy(known: KnownPolicies, entry: PolicyEntry): void {
  if (entry.version > (known.get(entry.name)?.version ?? 0)) known.set(entry.name, toPolicy(entry));
}

/** By which policy an agent is chosen for a task that names this one, or none. */
export function policyOf(known: KnownPolicies, name: string | undefined): Policy {
  const named = name === undefined ? undefined : known.get(name);
  return named ?? known.get(DEFAULT_POLICY) ?? POLICIES.weighted;
}
