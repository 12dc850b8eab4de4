import type { Fleet, FleetAgent, Outcomes } from '../fleet/fleet.state.js';
import { touchRating } from '../fleet/journal.fold.js';

// Simulated with claims that are wrong and change (docs/benchmarks.md): a declared level is worth four outcomes, an
// outcome loses 1 % with each later one.
const PRIOR_WEIGHT = 4;
const FORGETTING = 0.99;

/** Under which name outcomes of tasks of a type are kept that asked for a capability. */
export function outcomeKey(type: string, capability: string): string {
  return `${type}\n${capability}`;
}

/** A task of an agent ended: what it asked for is believed more, or less, from now on. */
export function learnOutcome(
  fleet: Fleet,
  agent: FleetAgent,
  ended: { readonly type: string; readonly capabilities: readonly string[]; readonly succeeded: boolean },
): void {
  // Which of several capabilities it was up to is not known: each has a share in it.
  const share = 1 / ended.capabilities.length;
  for (const name of ended.capabilities) {
    const key = outcomeKey(ended.type, name);
    const { succeeded, failed } = agent.outcomes.get(key) ?? { succeeded: 0, failed: 0 };
    agent.outcomes.set(key, {
      succeeded: FORGETTING * succeeded + (ended.succeeded ? share : 0),
      failed: FORGETTING * failed + (ended.succeeded ? 0 : share),
    });
  }
  touchRating(fleet, agent);
}

/** The mean of the Beta distribution a declared level becomes by outcomes: the level itself before the first. */
export function believedLevel(declared: number, outcomes: Outcomes | undefined): number {
  if (outcomes === undefined) return declared;
  const { succeeded, failed } = outcomes;
  return (PRIOR_WEIGHT * declared + succeeded) / (PRIOR_WEIGHT + succeeded + failed);
}
