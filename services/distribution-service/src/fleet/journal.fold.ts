import type { Fleet, FleetAgent } from './fleet.state.js';
import type { Journal } from './journal.state.js';

/** An agent's slots changed: what it holds, or whether it may get more. */
export function touchSlots(fleet: Fleet, agent: FleetAgent): void {
  fleet.step += 1;
  write(fleet.slots, agent.index);
}

/** What an agent is worth to tasks changed, not what it can do: a price, what was learned of it. */
export function touchRating(fleet: Fleet, agent: FleetAgent): void {
  touchSlots(fleet, agent);
  agent.ratedAt = fleet.step;
}

/** Changes who an agent is to tasks: its status, what it can do, whose it is. */
export function changeProfile(fleet: Fleet, agent: FleetAgent, change: () => void): void {
  if (fleet.numbered[agent.index] === agent) count(fleet, agent, -1);
  fleet.numbered[agent.index] = agent;
  change();
  count(fleet, agent, 1);
  fleet.step += 1;
  write(fleet.profiles, agent.index);
  // Less than there are agents would have all of them looked at again for nothing.
  const wanted = 2 * fleet.numbered.length;
  for (const journal of [fleet.slots, fleet.profiles]) if (journal.entries.length < wanted) grow(journal);
}

/** An agent is gone for good. */
export function forget(fleet: Fleet, agent: FleetAgent): void {
  count(fleet, agent, -1);
  fleet.numbered[agent.index] = undefined;
  fleet.removals += 1;
}

function write(journal: Journal, index: number): void {
  journal.entries[journal.end & (journal.entries.length - 1)] = index;
  journal.end += 1;
}

/** To twice the length, which stays a power of two. */
function grow(journal: Journal): void {
  const { entries, end } = journal;
  const longer = new Int32Array(2 * entries.length);
  for (let at = Math.max(0, end - entries.length); at < end; at += 1) {
    longer[at & (longer.length - 1)] = entries[at & (entries.length - 1)] ?? 0;
  }
  journal.entries = longer;
}

function count({ census }: Fleet, agent: FleetAgent, difference: number): void {
  if (agent.status === 'offline' || agent.silent) census.offline += difference;
  else if (agent.status === 'draining') census.draining += difference;
}
