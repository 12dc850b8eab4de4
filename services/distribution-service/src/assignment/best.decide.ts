import type { QueuedTask } from '@baton/contracts';
import { connectionsFrom } from '../engine/connection.graph.js';
import { score } from '../engine/policies.scoring.js';
import { askedBy, strengthsOf } from '../engine/scorers.scoring.js';
import type { FleetView } from '../engine/task.decide.js';
import type { FleetAgent } from '../fleet/fleet.state.js';
import { loadOf } from '../fleet/slots.fold.js';
import { skippedAt, unfitness } from './candidates.filter.js';

/**
 * The tasks that would go to this agent at `now` (milliseconds of the epoch) if every agent had room: those of which
 * it is the best of the whole fleet, by a look at each agent. O(tasks and agents), for people to see.
 */
export function tasksFor(
  view: FleetView,
  agentId: string,
  tasks: readonly QueuedTask[],
  now: number,
): readonly string[] {
  const agents = [...view.fleet.agents.values()];
  return tasks.filter((task) => bestOf(view, agents, task, now)?.id === agentId).map(({ id }) => id);
}

function bestOf(
  { fleet, index: { policy }, connections }: FleetView,
  agents: readonly FleetAgent[],
  task: QueuedTask,
  now: number,
): FleetAgent | undefined {
  const { priority, needs } = task;
  const { connectedFrom, criteria } = needs;
  const strengths = strengthsOf(
    connectedFrom === null ? undefined : connectionsFrom(connections, fleet, connectedFrom),
  );
  const skipped = skippedAt(needs, now);
  const asked = { asked: askedBy(task), priority, strengths, preferredAgents: criteria.preferredAgents };
  let best: { agent: FleetAgent; total: number; utilization: number } | undefined;
  for (const agent of agents) {
    if (unfitness(agent, needs, skipped) !== undefined) continue;
    const utilization = loadOf(agent) / agent.maxConcurrent;
    const { total } = score(policy, agent, asked, utilization);
    const rated = { agent, total, utilization };
    if (best === undefined || isBetter(rated, best)) best = rated;
  }
  return best?.agent;
}

type Rated = { readonly agent: FleetAgent; readonly total: number; readonly utilization: number };

function isBetter(one: Rated, other: Rated): boolean {
  if (one.total !== other.total) return one.total > other.total;
  if (one.utilization !== other.utilization) return one.utilization < other.utilization;
  if (one.agent.assignedAt !== other.agent.assignedAt) return one.agent.assignedAt < other.agent.assignedAt;
  return one.agent.id < other.agent.id;
}
