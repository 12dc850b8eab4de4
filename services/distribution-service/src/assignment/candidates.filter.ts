import { labelsMet, type FilterReason, type Needs } from '@baton/contracts';
import { roomOf } from '../fleet/slots.fold.js';
import type { FleetAgent } from '../fleet/fleet.state.js';

/** How many agents were left out, by the first reason that applied. */
export type FilteredCounts = { [reason in FilterReason]?: number };
export type Filtered = { readonly candidates: readonly FleetAgent[]; readonly filtered: FilteredCounts };
export type FilterNeeds = Pick<Needs, 'requiredCapabilities' | 'criteria' | 'skippedAgents'>;

const NOBODY: ReadonlySet<string> = new Set();

/**
 * The agents a task could be bound to at `now` (milliseconds of the epoch), and why the rest could not, found by looking
 * at each. An agent skipped for a while counts only where no other capable agent is online, with room or without: a task
 * nobody else can do is better with the agent that failed it than waiting.
 */
export function filterAgents(agents: readonly FleetAgent[], needs: FilterNeeds, now: number): Filtered {
  const skipped = skippedAt(needs, now);
  const { candidates, filtered } = filterWithout(agents, needs, skipped);
  if (skipped.size === 0 || candidates.length > 0 || filtered.excluded === undefined) {
    return { candidates, filtered };
  }
  const isSpared = agents.some((agent) => unfitness(agent, needs, skipped) === undefined);
  return isSpared ? { candidates, filtered } : filterWithout(agents, needs, NOBODY);
}

/** Why an agent can do no task of such needs, whatever its load; nothing when it can. */
export function unfitness(
  agent: FleetAgent,
  needs: FilterNeeds,
  skipped: ReadonlySet<string> = NOBODY,
): Exclude<FilterReason, 'capacity' | 'other_shard'> | undefined {
  if (agent.status === 'offline' || agent.silent) return 'offline';
  if (agent.status === 'draining') return 'draining';
  if (!meetsCriteria(agent, needs.criteria)) return 'criteria';
  if (skipped.has(agent.id)) return 'excluded';
  if (!isCapable(agent, needs.requiredCapabilities)) return 'capability';
  return undefined;
}

/** Whether an agent has every capability at the level asked for. */
export function isCapable(agent: FleetAgent, required: Needs['requiredCapabilities']): boolean {
  for (const { name, minLevel } of required) {
    const level = agent.levels.get(name);
    if (level === undefined || level < (minLevel ?? 0)) return false;
  }
  return true;
}

/** Whether a task that names the agents it is for names this one, or names none. */
export function isNamed(agentId: string, { requiredAgents }: Needs['criteria']): boolean {
  return requiredAgents === undefined || requiredAgents.includes(agentId);
}

function filterWithout(
  agents: readonly FleetAgent[],
  needs: FilterNeeds,
  skipped: ReadonlySet<string>,
): Filtered {
  const candidates: FleetAgent[] = [];
  const filtered: FilteredCounts = {};
  for (const agent of agents) {
    const reason = unfitness(agent, needs, skipped) ?? (roomOf(agent) === 0 ? 'capacity' : undefined);
    if (reason === undefined) candidates.push(agent);
    else filtered[reason] = (filtered[reason] ?? 0) + 1;
  }
  return { candidates, filtered };
}

/** The agents passed over for a task at `now`. */
export function skippedAt(needs: FilterNeeds, now: number): ReadonlySet<string> {
  if (needs.skippedAgents.length === 0) return NOBODY;
  const skipped = new Set<string>();
  for (const { agentId, until } of needs.skippedAgents) if (Date.parse(until) > now) skipped.add(agentId);
  return skipped;
}

function meetsCriteria(agent: FleetAgent, criteria: Needs['criteria']): boolean {
  const { excludedAgents, requiredLabels } = criteria;
  if (!isNamed(agent.id, criteria) || excludedAgents?.includes(agent.id) === true) return false;
  return requiredLabels === undefined || labelsMet(agent.labels, requiredLabels) === 1;
}
