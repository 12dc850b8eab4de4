import type { FilterReason, QueuedTask } from '@baton/contracts';
import type { Fleet, FleetAgent } from '../fleet/fleet.state.js';
import { roomOf } from '../fleet/slots.fold.js';
import { leaseOf } from '../shards/ownership.fold.js';
import { unfitness, type FilteredCounts } from './candidates.filter.js';

/** What all tasks of a backlog class have in common. */
export type ClassNeeds = {
  readonly backlogClass: string;
  readonly requiredCapabilities: QueuedTask['needs']['requiredCapabilities'];
  readonly requiredAgents: readonly string[] | undefined;
};

/** The agents online that can do tasks of a class, and how many cannot, by reason. */
export type ClassAgents = {
  /** Those this process decides about. */
  readonly capable: readonly FleetAgent[];
  /** Those of other distributors, counted as left out too. */
  readonly others: readonly FleetAgent[];
  readonly filtered: Readonly<FilteredCounts>;
};

/** The agents of every class asked about, kept while the fleet stays the same. */
export type ClassIndex = { generation: number; readonly classes: Map<string, ClassAgents> };

const CLASSES_KEPT = 10_000;

/** An index of no class yet. */
export function createClassIndex(): ClassIndex {
  return { generation: -1, classes: new Map() };
}

/** The needs all tasks of this task's class share; those pinned to an agent may have nothing but that in common. */
export function classNeedsOf(needs: QueuedTask['needs']): ClassNeeds {
  const { backlogClass, pinnedTo } = needs;
  if (pinnedTo !== undefined) return { backlogClass, requiredCapabilities: [], requiredAgents: [pinnedTo] };
  return {
    backlogClass,
    requiredCapabilities: needs.requiredCapabilities,
    requiredAgents: needs.criteria.requiredAgents,
  };
}

/** The agents of a class. Costs O(agents) once per class and change of the fleet, O(1) else. */
export function classAgents(index: ClassIndex, fleet: Fleet, needs: ClassNeeds): ClassAgents {
  if (index.generation !== fleet.generation) {
    index.classes.clear();
    index.generation = fleet.generation;
  }
  const kept = index.classes.get(needs.backlogClass);
  if (kept !== undefined) return kept;
  if (index.classes.size >= CLASSES_KEPT) index.classes.clear();
  const agents = findAgents(fleet, needs);
  index.classes.set(needs.backlogClass, agents);
  return agents;
}

/** How many tasks of a class could be bound now, to agents this process decides about. */
export function classRoom(agents: ClassAgents): number {
  let room = 0;
  for (const agent of agents.capable) room += roomOf(agent);
  return room;
}

function findAgents(fleet: Fleet, needs: ClassNeeds): ClassAgents {
  const { requiredCapabilities, requiredAgents } = needs;
  const criteria = requiredAgents === undefined ? {} : { requiredAgents: [...requiredAgents] };
  const capable: FleetAgent[] = [];
  const others: FleetAgent[] = [];
  const filtered: { [reason in FilterReason]?: number } = {};
  for (const agent of fleet.agents.values()) {
    const reason = unfitness(agent, { requiredCapabilities, criteria, skippedAgents: [] });
    if (reason !== undefined) filtered[reason] = (filtered[reason] ?? 0) + 1;
    else if (leaseOf(fleet, agent) === undefined) others.push(agent);
    else capable.push(agent);
  }
  if (others.length > 0) filtered.other_shard = others.length;
  return { capable, others, filtered };
}
