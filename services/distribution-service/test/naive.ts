import type { QueuedTask } from '@baton/contracts';
import { filterAgents } from '../src/assignment/candidates.filter.js';
import { score } from '../src/engine/policies.scoring.js';
import { askedBy, strengthsOf } from '../src/engine/scorers.scoring.js';
import { connectionsFrom } from '../src/engine/connection.graph.js';
import type { FleetView } from '../src/engine/task.decide.js';
import { loadOf } from '../src/fleet/slots.fold.js';
import { leaseOf } from '../src/shards/ownership.fold.js';

/** Whom a look at every agent of the fleet finds for a task, best first, with the scores. */
export function naiveScan(view: FleetView, task: QueuedTask, now: number) {
  const { fleet, connections, index } = view;
  const { connectedFrom, criteria } = task.needs;
  const strengths = strengthsOf(
    connectedFrom === null ? undefined : connectionsFrom(connections, fleet, connectedFrom),
  );
  const { priority } = task;
  const asked = { asked: askedBy(task), priority, strengths, preferredAgents: criteria.preferredAgents };
  const scanned = filterAgents([...fleet.agents.values()], task.needs, now)
    .candidates.filter((agent) => leaseOf(fleet, agent) !== undefined)
    .map((agent) => {
      const utilization = loadOf(agent) / agent.maxConcurrent;
      const scored = score(index.policy, agent, asked, utilization);
      return { agent, utilization, score: scored };
    })
    .toSorted(
      (one, other) =>
        other.score.total - one.score.total ||
        one.utilization - other.utilization ||
        one.agent.movedAt - other.agent.movedAt ||
        (one.agent.id < other.agent.id ? -1 : 1),
    );
  const { minScore = 0 } = criteria;
  return (scanned[0]?.score.total ?? 0) < minScore - 1e-9 ? [] : scanned;
}
