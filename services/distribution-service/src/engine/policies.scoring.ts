import { SCORE_WEIGHTS, type Priority, type Score } from '@baton/contracts';
import {
  AFFINITY,
  affinityPart,
  SCORERS,
  type Asked,
  type RatedAgent,
  type Scorer,
  type Strengths,
} from './scorers.scoring.js';

/** By what agents are chosen: scorers with their weights. The version rises whenever a formula or a weight changes. */
export type Policy = {
  readonly name: string;
  readonly version: number;
  readonly parts: readonly { readonly scorer: Scorer; readonly weight: number }[];
  /** Whether an agent's worth changes with every assignment. */
  readonly hasTurns: boolean;
  /** Whether prices must be learned for it. */
  readonly isPriced: boolean;
};
export type PolicyName = 'weighted' | 'fit' | 'round-robin' | 'least-loaded';

/** The policies there are. */
export const POLICIES: Readonly<Record<PolicyName, Policy>> = {
  weighted: policy('weighted', 1, SCORE_WEIGHTS),
  // As weighted, with what a slot is worth to others in place of how many are taken, which only parts equals.
  fit: policy('fit', 1, { capability: 0.4, price: 0.25, workload: 0.05, priority: 0.2, connection: 0.1 }),
  'round-robin': policy('round-robin', 1, { turn: 1 }),
  'least-loaded': policy('least-loaded', 1, { workload: 1 }),
};

/** A policy of these weights by the names of scorers. */
function policy(
  name: string,
  version: number,
  weights: Readonly<Partial<Record<keyof typeof SCORERS, number>>>,
): Policy {
  const parts = Object.entries(weights).map(([key, weight]) => ({
    scorer: SCORERS[key as keyof typeof SCORERS],
    weight,
  }));
  return { name, version, parts, hasTurns: 'turn' in weights, isPriced: 'price' in weights };
}

/** What an agent is worth whatever its load and whoever asks. */
export function rate({ parts }: Policy, agent: RatedAgent, asked: Asked): number {
  let sum = 0;
  for (const { scorer, weight } of parts) {
    if (scorer.kind === 'agent') sum += exact(weight * scorer.value(agent, asked));
  }
  if (asked.preferredLabels !== undefined) sum += rateAffinity(agent, asked, false);
  return sum;
}

/** What an agent is worth for being of those a task prefers: by its labels, or because the task names it. */
export function rateAffinity(agent: Pick<RatedAgent, 'labels'>, asked: Asked, isPreferred: boolean): number {
  return exact(AFFINITY.weight * affinityPart(agent, asked, isPreferred));
}

/** What any agent is worth for so much of its slots being taken. */
export function rateLoad({ parts }: Policy, utilization: number): number {
  let sum = 0;
  for (const { scorer, weight } of parts) {
    if (scorer.kind === 'load') sum += exact(weight * scorer.value(utilization));
  }
  return sum;
}

/** What an agent is worth for a connection of such strength. */
export function rateLink({ parts }: Policy, strength: number): number {
  let sum = 0;
  for (const { scorer, weight } of parts) if (scorer.kind === 'link') sum += exact(weight * strength);
  return sum;
}

/** What scores hang on besides the agent. `preferredAgents` are those the task names, if it does. */
export type ScoredTask = {
  readonly asked: Asked;
  readonly priority: Priority;
  readonly strengths: Strengths;
  readonly preferredAgents?: readonly string[] | undefined;
};

/** The whole score of an agent, part by part, as decisions record it. */
export function score(
  { parts }: Policy,
  agent: RatedAgent & { readonly id: string },
  task: ScoredTask,
  utilization: number,
): Score {
  const recorded: Score['parts'] = [];
  let total = 0;
  for (const { scorer, weight } of parts) {
    const value = valueOf(scorer, agent, task, utilization);
    total += exact(weight * value);
    recorded.push({ name: scorer.name, value, weight });
  }
  const { asked, preferredAgents } = task;
  if (asked.preferredLabels !== undefined || preferredAgents !== undefined) {
    const isPreferred = preferredAgents?.includes(agent.id) === true;
    total += rateAffinity(agent, asked, isPreferred);
    recorded.push({ ...AFFINITY, value: affinityPart(agent, asked, isPreferred) });
  }
  return { agentId: agent.id, total, parts: recorded };
}

function valueOf(
  scorer: Scorer,
  agent: RatedAgent & { readonly id: string },
  { asked, priority, strengths }: ScoredTask,
  utilization: number,
): number {
  switch (scorer.kind) {
    case 'agent':
      return scorer.value(agent, asked);
    case 'load':
      return scorer.value(utilization);
    case 'task':
      return scorer.value(priority);
    case 'link':
      return strengths.of.get(agent.id) ?? strengths.rest;
  }
}

// Steps of 2^-44: sums of a few parts are exact in a double, so that they are equal in whatever order they are added,
// and the best by an index is the best by the formula. It moves a score by less than 1e-12.
function exact(part: number): number {
  return Math.round(part * GRID) / GRID;
}

const GRID = 2 ** 44;
