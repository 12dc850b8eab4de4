import { ALL_OF_TYPE, OUTCOME_FORGETTING, type LearnedOutcome } from '@baton/contracts';
import type { Fleet, FleetAgent, Outcomes } from '../fleet/fleet.state.js';
import { touchRating } from '../fleet/journal.fold.js';

// Simulated with claims that are wrong and change (docs/benchmarks.md): a declared level is worth four outcomes.
const PRIOR_WEIGHT = 4;

/** Under which name outcomes of tasks of a type are kept that asked for a capability. */
export function outcomeKey(type: string, capability: string): string {
  return `${type}\n${capability}`;
}

/** Takes in what task-service learned of an agent, which is all there is to know. O(what was learned). */
export function applyOutcomes(fleet: Fleet, agent: FleetAgent, learned: readonly LearnedOutcome[]): void {
  const fingerprint = JSON.stringify(learned);
  if (fingerprint === agent.outcomesRead) return;
  agent.outcomesRead = fingerprint;
  agent.outcomes.clear();
  for (const { type, capability, ...outcomes } of learned) {
    agent.outcomes.set(outcomeKey(type, capability), outcomes);
  }
  touchRating(fleet, agent);
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
    const { succeeded, failed, durations } = agent.outcomes.get(key) ?? UNKNOWN;
    agent.outcomes.set(key, {
      durations,
      succeeded: OUTCOME_FORGETTING * succeeded + (ended.succeeded ? share : 0),
      failed: OUTCOME_FORGETTING * failed + (ended.succeeded ? 0 : share),
    });
  }
  touchRating(fleet, agent);
}

/** The mean of the Beta distribution a declared level becomes by outcomes: the level itself before the first. */
export function believedLevel(declared: number, outcomes: Omit<Outcomes, 'durations'> | undefined): number {
  if (outcomes === undefined) return declared;
  const { succeeded, failed } = outcomes;
  return (PRIOR_WEIGHT * declared + succeeded) / (PRIOR_WEIGHT + succeeded + failed);
}

// An agent of which nothing is known counts as one that took a minute for each of four tasks. A day is as long as it gets.
const USUAL = Math.log(60);
const LONGEST = Math.log1p(86_400);

/**
 * How quick an agent is at tasks of a type, by the geometric mean of how long they took it: 1 for no time, 0 for a day,
 * by the logarithm, so that twice as quick is worth the same wherever one starts.
 */
export function quickness(ofType: Outcomes | undefined): number {
  const { count, sum } = (ofType ?? UNKNOWN).durations;
  const seconds = Math.exp((PRIOR_WEIGHT * USUAL + sum) / (PRIOR_WEIGHT + count));
  return Math.min(1, Math.max(0, 1 - Math.log1p(seconds) / LONGEST));
}

const UNKNOWN: Outcomes = { succeeded: 0, failed: 0, durations: { count: 0, sum: 0 } };

/** How long tasks take these agents, in milliseconds: the geometric mean of all that is known, a minute to begin with. */
export function meanDurationMs(agents: Iterable<Pick<FleetAgent, 'outcomes'>>): number {
  let [count, sum] = [PRIOR_WEIGHT, PRIOR_WEIGHT * USUAL];
  for (const { outcomes } of agents) {
    for (const [key, { durations }] of outcomes) {
      if (!key.endsWith(outcomeKey('', ALL_OF_TYPE))) continue;
      count += durations.count;
      sum += durations.sum;
    }
  }
  return 1_000 * Math.exp(sum / count);
}
