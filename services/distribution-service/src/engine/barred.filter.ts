import type { FilterReason } from '@baton/contracts';
import { skippedAt, type FilterNeeds } from '../assignment/candidates.filter.js';
import type { Fleet } from '../fleet/fleet.state.js';
import type { Member } from './pool.fold.js';
import type { Signature } from './signatures.fold.js';

/** Agents a single task may not go to though they can do what it asks, by the reason. */
export type Barred = ReadonlyMap<string, Extract<FilterReason, 'criteria' | 'excluded'>>;

const NOBODY: Barred = new Map();

/**
 * Whom a task bars at `now` (milliseconds of the epoch). An agent skipped for a while is barred only where another
 * capable one is online, with room or without, here or at other distributors: a task nobody else can do is better with
 * the agent that failed it than waiting. O(agents the task names).
 */
export function barredFrom(fleet: Fleet, signature: Signature, needs: FilterNeeds, now: number): Barred {
  const { excludedAgents = [] } = needs.criteria;
  if (excludedAgents.length === 0 && needs.skippedAgents.length === 0) return NOBODY;
  const excluded: Map<string, 'criteria' | 'excluded'> = new Map();
  for (const id of excludedAgents) if (memberOf(fleet, signature, id)) excluded.set(id, 'criteria');
  const barred = new Map(excluded);
  for (const id of skippedAt(needs, now)) {
    if (!barred.has(id) && memberOf(fleet, signature, id)) barred.set(id, 'excluded');
  }
  const { own, others } = signature;
  return barred.size < own.size + others.size ? barred : excluded;
}

/** The agent in a signature, if it is in it. */
export function memberOf(fleet: Fleet, { members }: Signature, agentId: string): Member | undefined {
  const agent = fleet.agents.get(agentId);
  return agent === undefined ? undefined : members.get(agent.index);
}
