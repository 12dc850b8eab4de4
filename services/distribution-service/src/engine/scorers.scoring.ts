import {
  AFFINITY_WEIGHT,
  ALL_OF_TYPE,
  labelsMet,
  type Labels,
  type Needs,
  type Priority,
  type QueuedTask,
} from '@baton/contracts';
import type { Outcomes } from '../fleet/fleet.state.js';
import { believedLevel, outcomeKey, quickness } from './outcomes.fold.js';

/** What tasks have in common that ask for the same, as scorers see it. */
export type Asked = Pick<Needs, 'requiredCapabilities' | 'preferredCapabilities'> & {
  readonly type: string;
  readonly preferredLabels?: Labels | undefined;
};

/** What scorers look at in an agent. */
export type RatedAgent = {
  readonly levels: ReadonlyMap<string, number>;
  readonly outcomes: ReadonlyMap<string, Outcomes>;
  readonly labels: Labels;
  readonly price: number;
  readonly assignedAt: number;
};

/** How strongly whoever asked is connected: to the agents named, and to all the rest, which is never stronger. */
export type Strengths = { readonly rest: number; readonly of: ReadonlyMap<string, number> };

/**
 * A part of the score, 0..1, declared by what it hangs on: an index can then find the best agent without looking at all
 * of them. `agent`: the agent and what is asked. `load`: the share of its slots that is taken; never rises with it.
 * `task`: the task alone, equal for all agents. `link`: who asked; few agents have a value of their own.
 */
export type Scorer = { readonly name: string } & (
  | { readonly kind: 'agent'; readonly value: (agent: RatedAgent, asked: Asked) => number }
  | { readonly kind: 'load'; readonly value: (utilization: number) => number }
  | { readonly kind: 'task'; readonly value: (priority: Priority) => number }
  | { readonly kind: 'link' }
);

/** The connection part where no agent created or delegated the task. */
const NO_CREATING_AGENT = 0.5;
const NOBODY: ReadonlyMap<string, number> = new Map();
const ALIKE: Strengths = { rest: NO_CREATING_AGENT, of: NOBODY };
// Powers of two: the parts stay exact sums, however they are added.
const TURNS = 2 ** 44;

/** Everything agents are scored by. */
export const SCORERS = {
  capability: { name: 'capability', kind: 'agent', value: capabilityPart },
  workload: { name: 'workload', kind: 'load', value: (utilization) => clamp(1 - 0.7 * utilization) },
  priority: { name: 'priority', kind: 'task', value: (priority) => (6 - priority) / 5 },
  connection: { name: 'connection', kind: 'link' },
  /** Cheap is good: what others would lose by taking a slot of this agent. */
  price: { name: 'price', kind: 'agent', value: (agent) => clamp(1 - agent.price) },
  /** How long such tasks take it, as far as that is known. */
  duration: { name: 'duration', kind: 'agent', value: durationPart },
  /** Who was assigned something longest ago comes first. */
  turn: { name: 'turn', kind: 'agent', value: (agent) => clamp(1 - agent.assignedAt / TURNS) },
} as const satisfies Readonly<Record<string, Scorer>>;

/** Beside the parts of any policy, where a task prefers some agents to others. */
export const AFFINITY = { name: 'affinity', weight: AFFINITY_WEIGHT } as const;

/** What a task asks for, as scorers see it. */
export function askedBy({
  type,
  needs,
}: Pick<QueuedTask, 'type'> & {
  readonly needs: Pick<Needs, 'requiredCapabilities' | 'preferredCapabilities' | 'criteria'>;
}): Asked {
  const { requiredCapabilities, preferredCapabilities, criteria } = needs;
  return { type, requiredCapabilities, preferredCapabilities, preferredLabels: criteria.preferredLabels };
}

/** How much a task is for an agent: wholly if it names it, else by the share of the labels it prefers. */
export function affinityPart(
  { labels }: Pick<RatedAgent, 'labels'>,
  { preferredLabels }: Asked,
  isPreferred: boolean,
): number {
  if (isPreferred) return 1;
  return preferredLabels === undefined ? 0 : labelsMet(labels, preferredLabels);
}

/** The strengths for a task that `listed` agents are connected to, or for one no agent asked for. */
export function strengthsOf(listed: ReadonlyMap<string, number> | undefined): Strengths {
  return listed === undefined ? ALIKE : { rest: 0, of: listed };
}

/** The connection part: the direct edge if there is one, else half the best way over one agent, else 0. */
export function connectionPart(path: {
  readonly direct?: number | undefined;
  readonly twoHops?: number | undefined;
}): number {
  return path.direct ?? 0.5 * (path.twoHops ?? 0);
}

function capabilityPart(agent: RatedAgent, asked: Asked): number {
  const { requiredCapabilities: required, preferredCapabilities: preferred } = asked;
  const count = required.length + 0.5 * preferred.length;
  if (count === 0) return 1;
  let sum = 0;
  for (const { name } of required) sum += levelOf(agent, asked.type, name);
  for (const name of preferred) sum += 0.5 * levelOf(agent, asked.type, name);
  return sum / count;
}

function durationPart({ outcomes }: RatedAgent, { type }: Asked): number {
  return quickness(outcomes.get(outcomeKey(type, ALL_OF_TYPE)));
}

function levelOf(agent: RatedAgent, type: string, name: string): number {
  const declared = agent.levels.get(name);
  if (declared === undefined || agent.outcomes.size === 0) return declared ?? 0;
  return believedLevel(declared, agent.outcomes.get(outcomeKey(type, name)));
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
