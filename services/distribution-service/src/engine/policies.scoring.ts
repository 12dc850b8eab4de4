import { BUILT_IN_VERSION, POLICY_WEIGHTS, type PolicyEntry } from '@baton/contracts';
import type { PolicyKind, Priority, Score } from '@baton/contracts';
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

/** The policies there always are. */
export const POLICIES: Readonly<Record<PolicyKind, Policy>> = {
  weighted: builtIn('weighted'),
  fit: builtIn('fit'),
  'round-robin': builtIn('round-robin'),
  'least-loaded': builtIn('least-loaded'),
};

function builtIn(kind: PolicyKind): Policy {
  return toPolicy({ name: kind, version: BUILT_IN_VERSION, weights: POLICY_WEIGHTS[kind] });
}

/** A policy of these weights by the names of scorers. What a later version weighs and this one does not know is left out. */
export function toPolicy({ name, version, weights }: Omit<PolicyEntry, 'kind'>): Policy {
  const parts: { scorer: Scorer; weight: number }[] = [];
  for (const [key, weight] of Object.entries(weights)) {
    const scorer = new Map<string, Scorer>(Object.entries(SCORERS)).get(key);
    if (scorer !== undefined && weight > 0) parts.push({ scorer, weight });
  }
  const isUsed = (scorer: Scorer) => parts.some((part) => part.scorer === scorer);
  return { name, version, parts, hasTurns: isUsed(SCORERS.turn), isPriced: isUsed(SCORERS.price) };
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
