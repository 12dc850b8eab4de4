import type { Decision, FilterReason, QueuedTask, Score } from '@baton/contracts';
import { unfitness, type FilteredCounts } from '../assignment/candidates.filter.js';
import type { Fleet, FleetAgent } from '../fleet/fleet.state.js';
import { barredFrom, memberOf, type Barred } from './barred.filter.js';
import { connectionsFrom, createConnectionGraph, type ConnectionGraph } from './connection.graph.js';
import { rateAffinity, rateLink, score, type Policy, type ScoredTask } from './policies.scoring.js';
import { bestIn, worthOf, type Member, type Pool } from './pool.fold.js';
import { askedBy, strengthsOf, type Asked } from './scorers.scoring.js';
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
  const context = contextOf(view, task, signature);
  const ranked = bestOf(view, signature, signature.own, context, {
    count: 1 + RUNNERS_UP,
    isWanted: wantedBy(task, barred),
  });
  const [best] = ranked;
  if (best === undefined) return undefined;
  const chosen = scoreOf(index.policy, best, context);
  if (isTooLow(chosen, task)) return undefined;
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
  const context = contextOf(view, task, signature);
  const [best] = bestOf(view, signature, signature.others, context, wanted);
  if (best === undefined || isTooLow(scoreOf(view.index.policy, best, context), task)) return undefined;
  return best.agent;
}

/** Whether not even the best score is what the task asks for. Sums of parts are off by less than this. */
export function isTooLow({ total }: Score, { needs }: Pick<DecidedTask, 'needs'>): boolean {
  const { minScore } = needs.criteria;
  return minScore !== undefined && total < minScore - 1e-9;
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

/** Those the creator is connected to or the task names are looked at one by one; of the rest, all alike to it, the best few. */
function bestOf(
  { fleet, index: { policy } }: FleetView,
  signature: Signature,
  pool: Pool,
  { asked, strengths, preferredAgents = [] }: ScoredTask,
  { count, isWanted }: Wanted,
): readonly Member[] {
  if (strengths.of.size === 0 && preferredAgents.length === 0) return bestIn(pool, count, isWanted);
  const listed = new Set([...strengths.of.keys(), ...preferredAgents]);
  const rest = bestIn(pool, count, (agent) => !listed.has(agent.id) && (isWanted?.(agent) ?? true));
  const distant = rateLink(policy, strengths.rest);
  const ranked = rest.map((member) => ({ member, worth: worthOf(member) + distant }));
  for (const id of listed) {
    const member = memberOf(fleet, signature, id);
    if (member?.pool !== pool || member.cell === undefined || isWanted?.(member.agent) === false) continue;
    const worth = worthOf(member) + rateLink(policy, strengths.of.get(id) ?? strengths.rest);
    ranked.push({ member, worth: worth + bonusOf(member, asked, preferredAgents) });
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

/** What being named by the task adds to what the labels of the agent gave it already. */
function bonusOf({ agent }: Member, asked: Asked, preferredAgents: readonly string[]): number {
  if (!preferredAgents.includes(agent.id)) return 0;
  return rateAffinity(agent, asked, true) - rateAffinity(agent, asked, false);
}

function contextOf(view: FleetView, task: DecidedTask, signature: Signature): ScoredTask {
  const { connectedFrom, pinnedTo, criteria } = task.needs;
  const linked =
    connectedFrom === null ? undefined : connectionsFrom(view.connections, view.fleet, connectedFrom);
  return {
    // What waits for one agent may ask for other things than the rest of its class.
    asked: pinnedTo === undefined ? signature.asked : askedBy(task),
    priority: task.priority,
    strengths: strengthsOf(linked),
    preferredAgents: criteria.preferredAgents,
  };
}

function scoreOf(policy: Policy, { agent, cell }: Member, task: ScoredTask): Score {
  return score(policy, agent, task, cell?.utilization ?? 1);
}

/** Everybody counted once, without looking at anybody: whom the task bars counts under that, whatever else applies. */
function countAll(
  fleet: Fleet,
  signature: Signature,
  barred: Barred,
): { readonly considered: number; readonly filtered: FilteredCounts } {
  const { own, others, needs, unlabelled } = signature;
  const online = fleet.agents.size - fleet.census.offline - fleet.census.draining;
  const listed = onlineAmong(fleet, needs.criteria.requiredAgents) ?? online;
  const counts: Record<FilterReason, number> = {
    offline: fleet.census.offline,
    draining: fleet.census.draining,
    criteria: online - listed + unlabelled.size,
    excluded: 0,
    capability: listed - unlabelled.size - own.size - others.size,
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
