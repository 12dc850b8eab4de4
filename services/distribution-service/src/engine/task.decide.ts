import type { Decision, FilterReason, QueuedTask, Score } from '@baton/contracts';
import { unfitness, type FilteredCounts } from '../assignment/candidates.filter.js';
import type { Fleet, FleetAgent } from '../fleet/fleet.state.js';
import { barredFrom, memberOf, type Barred } from './barred.filter.js';
import { connectionsFrom, createConnectionGraph, type ConnectionGraph } from './connection.graph.js';
import { rateLink, score, type Policy } from './policies.scoring.js';
import { bestIn, worthOf, type Member, type Pool } from './pool.fold.js';
import { strengthsOf, type Strengths } from './scorers.scoring.js';
import { createFleetIndex, signatureOf, type FleetIndex, type Signature } from './signatures.fold.js';

/** What is looked at in a task. */
export type DecidedTask = Pick<QueuedTask, 'id' | 'version' | 'type' | 'priority' | 'needs'>;

/** The fleet and what is worked out from it and kept. */
export type FleetView = {
  readonly fleet: Fleet;
  readonly index: FleetIndex;
  readonly connections: ConnectionGraph;
};

/** The decision lacks only the time it took: there is no clock here. */
export type Placement = {
  readonly agent: FleetAgent;
  readonly decision: Omit<Decision, 'tookMicros'>;
};

const RUNNERS_UP = 3;

/** A view of a fleet in which agents are chosen by this policy. */
export function createView(fleet: Fleet, policy: Policy): FleetView {
  return { fleet, index: createFleetIndex(fleet, policy), connections: createConnectionGraph() };
}

/**
 * Chooses the agent for a task at `now` (milliseconds of the epoch), or nobody. It is the best of all agents of this
 * process that could take it, as a scan of them all would find. O(log agents), plus the agents that changed since such
 * a task was asked about and those the task and its creator name (docs/decisions, 9).
 */
export function decideTask(view: FleetView, task: DecidedTask, now: number): Placement | undefined {
  const { fleet, index } = view;
  const signature = signatureOf(index, task);
  if (signature.own.open === 0) return undefined;
  const barred = barredFrom(fleet, signature, task.needs, now);
  const strengths = strengthsFor(view, task);
  const ranked = bestOf(view, signature, signature.own, strengths, {
    count: 1 + RUNNERS_UP,
    isWanted: wantedBy(task, barred),
  });
  const [best] = ranked;
  if (best === undefined) return undefined;
  // What waits for one agent may ask for other things than the rest of its class.
  const asked = task.needs.pinnedTo === undefined ? signature.asked : { type: task.type, ...task.needs };
  const context = { asked, priority: task.priority, strengths };
  const chosen = scoreOf(index.policy, best, context);
  const runnersUp: Score[] = [];
  for (let place = 1; place < ranked.length; place += 1) {
    runnersUp.push(scoreOf(index.policy, ranked[place] as Member, context));
  }
  const { considered, filtered } = countAll(fleet, signature, barred);
  const { name, version } = index.policy;
  const decision = { policy: name, policyVersion: version, chosen, runnersUp, considered, filtered };
  return { agent: best.agent, decision };
}

/** How many slots agents of this process that can do such tasks have free. */
export function freeSlots({ index }: FleetView, task: Pick<QueuedTask, 'type' | 'needs'>): number {
  return signatureOf(index, task).own.room;
}

/** The best agent of other distributors for a task among those that are wanted. */
export function decideNeighbour(
  view: FleetView,
  task: DecidedTask,
  now: number,
  isWanted: (agent: FleetAgent) => boolean,
): FleetAgent | undefined {
  const signature = signatureOf(view.index, task);
  if (signature.others.open === 0) return undefined;
  const barred = barredFrom(view.fleet, signature, task.needs, now);
  const isAllowed = wantedBy(task, barred);
  const wanted = {
    count: 1,
    isWanted: (agent: FleetAgent) => isWanted(agent) && (isAllowed?.(agent) ?? true),
  };
  return bestOf(view, signature, signature.others, strengthsFor(view, task), wanted)[0]?.agent;
}

/** Which of those that can do what tasks of the class ask for may have this one; all when nothing is said. */
function wantedBy({ needs }: DecidedTask, barred: Barred): ((agent: FleetAgent) => boolean) | undefined {
  if (needs.pinnedTo !== undefined) {
    return (agent) => !barred.has(agent.id) && unfitness(agent, needs) === undefined;
  }
  return barred.size === 0 ? undefined : (agent) => !barred.has(agent.id);
}

type Wanted = {
  readonly count: number;
  readonly isWanted: ((agent: FleetAgent) => boolean) | undefined;
};

/** Those the creator is connected to are looked at one by one; of the rest, all equally connected, the best few. */
function bestOf(
  { fleet, index: { policy } }: FleetView,
  signature: Signature,
  pool: Pool,
  { of: listed }: Strengths,
  { count, isWanted }: Wanted,
): readonly Member[] {
  if (listed.size === 0) return bestIn(pool, count, isWanted);
  const rest = bestIn(pool, count, (agent) => !listed.has(agent.id) && (isWanted?.(agent) ?? true));
  const ranked = rest.map((member) => ({ member, worth: worthOf(member) }));
  for (const [id, strength] of listed) {
    const member = memberOf(fleet, signature, id);
    if (member?.pool !== pool || member.cell === undefined || isWanted?.(member.agent) === false) continue;
    ranked.push({ member, worth: worthOf(member) + rateLink(policy, strength) });
  }
  return ranked
    .toSorted((one, other) => other.worth - one.worth || byTurn(one.member, other.member))
    .slice(0, count)
    .map(({ member }) => member);
}

function byTurn(one: Member, other: Member): number {
  const utilization = (one.cell?.utilization ?? 0) - (other.cell?.utilization ?? 0);
  if (utilization !== 0) return utilization;
  if (one.movedAt !== other.movedAt) return one.movedAt - other.movedAt;
  return one.agent.id < other.agent.id ? -1 : 1;
}

function strengthsFor(view: FleetView, { needs: { connectedFrom } }: DecidedTask): Strengths {
  return strengthsOf(
    connectedFrom === null ? undefined : connectionsFrom(view.connections, view.fleet, connectedFrom),
  );
}

function scoreOf(policy: Policy, { agent, cell }: Member, task: Parameters<typeof score>[2]): Score {
  return score(policy, agent, task, cell?.utilization ?? 1);
}

/** Everybody counted once, without looking at anybody: whom the task bars counts under that, whatever else applies. */
function countAll(
  fleet: Fleet,
  signature: Signature,
  barred: Barred,
): { readonly considered: number; readonly filtered: FilteredCounts } {
  const { own, others, needs } = signature;
  const online = fleet.agents.size - fleet.census.offline - fleet.census.draining;
  const listed = onlineAmong(fleet, needs.criteria.requiredAgents) ?? online;
  const counts: Record<FilterReason, number> = {
    offline: fleet.census.offline,
    draining: fleet.census.draining,
    criteria: online - listed,
    excluded: 0,
    capability: listed - own.size - others.size,
    capacity: own.size - own.open,
    other_shard: others.size,
  };
  let considered = own.open;
  for (const [id, reason] of barred) {
    counts[reason] += 1;
    const member = memberOf(fleet, signature, id);
    if (member?.pool === others) counts.other_shard -= 1;
    else if (member?.cell === undefined) counts.capacity -= 1;
    else considered -= 1;
  }
  const filtered: FilteredCounts = {};
  for (const reason in counts) {
    const count = counts[reason as FilterReason];
    if (count > 0) filtered[reason as FilterReason] = count;
  }
  return { considered, filtered };
}

function onlineAmong(fleet: Fleet, agentIds: readonly string[] | undefined): number | undefined {
  if (agentIds === undefined) return undefined;
  let count = 0;
  for (const id of new Set(agentIds)) {
    const agent = fleet.agents.get(id);
    if (agent?.status === 'online' && !agent.silent) count += 1;
  }
  return count;
}
