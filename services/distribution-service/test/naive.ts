import type { QueuedTask } from '@baton/contracts';
import { filterAgents } from '../src/assignment/candidates.filter.js';
import { score } from '../src/engine/policies.scoring.js';
import { strengthsOf } from '../src/engine/scorers.scoring.js';
import { connectionsFrom } from '../src/engine/connection.graph.js';
import type { FleetView } from '../src/engine/task.decide.js';
import { loadOf } from '../src/fleet/slots.fold.js';
import { leaseOf } from '../src/shards/ownership.fold.js';

/** Whom a look at every agent of the fleet finds for a task, best first, with the scores. */
export function naiveScan(view: FleetView, task: QueuedTask, now: number) {
  const { fleet, connections, index } = view;
  const { connectedFrom } = task.needs;
  const strengths = strengthsOf(
    connectedFrom === null ? undefined : connectionsFrom(connections, fleet, connectedFrom),
  );
  const asked = { type: task.type, ...task.needs };
  return filterAgents([...fleet.agents.values()], task.needs, now)
    .candidates.filter((agent) => leaseOf(fleet, agent) !== undefined)
    .map((agent) => {
      const utilization = loadOf(agent) / agent.maxConcurrent;
      const scored = score(index.policy, agent, { asked, priority: task.priority, strengths }, utilization);
      return { agent, utilization, score: scored };
    })
    .toSorted(
      (one, other) =>
        other.score.total - one.score.total ||
        one.utilization - other.utilization ||
        one.agent.movedAt - other.agent.movedAt ||
        (one.agent.id < other.agent.id ? -1 : 1),
    );
}
