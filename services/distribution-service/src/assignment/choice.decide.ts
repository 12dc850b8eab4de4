import type { Decision, QueuedTask, Score, Waiting } from '@baton/contracts';
import { connectionsFrom } from '../engine/connection.graph.js';
import { score } from '../engine/policies.scoring.js';
import { askedBy, strengthsOf } from '../engine/scorers.scoring.js';
import { isTooLow, type FleetView } from '../engine/task.decide.js';
import type { FleetAgent } from '../fleet/fleet.state.js';
import { loadOf } from '../fleet/slots.fold.js';
import { filterAgents } from './candidates.filter.js';
import { explainNobody } from './explain.decide.js';

/** What is looked at in a task that is asked about. */
export type AskedTask = Pick<QueuedTask, 'type' | 'priority' | 'needs'>;
/** The decision lacks only the time it took: there is no clock here. */
type Chosen = { readonly decision: Omit<Decision, 'tookMicros'>; readonly waiting: null };
type Nobody = { readonly decision: null; readonly waiting: Waiting };

const RUNNERS_UP = 3;

/**
 * Who of the whole fleet, whoever decides about them, would get a task at `now` (milliseconds of the epoch), or why
 * nobody. Exact in every count, by a look at each agent: O(agents), for people and single tasks.
 */
export function chooseForTask(
  view: FleetView,
  task: AskedTask,
  now: number,
  { idle = false }: { readonly idle?: boolean } = {},
): Chosen | Nobody {
  const { pinnedTo } = task.needs;
  const agents = [...view.fleet.agents.values()].filter(
    ({ id }) => pinnedTo === undefined || id === pinnedTo,
  );
  const found = filterAgents(agents, task.needs, now);
  const { filtered } = found;
  const candidates = idle ? found.candidates.filter((agent) => loadOf(agent) === 0) : found.candidates;
  const scores = rankAgents(view, candidates, task);
  const [chosen, ...others] = scores;
  if (chosen === undefined || isTooLow(chosen, task))
    return { decision: null, waiting: explainNobody(agents, task, { filtered, scores }) };
  const { name, version } = view.index.policy;
  const runnersUp = others.slice(0, RUNNERS_UP);
  const considered = candidates.length;
  return {
    decision: { policy: name, policyVersion: version, chosen, runnersUp, considered, filtered },
    waiting: null,
  };
}

/** Why a queued task is not with an agent at `now`, counted over the whole fleet. */
export function explainWaiting(view: FleetView, task: AskedTask, now: number): Waiting {
  const { decision, waiting } = chooseForTask(view, task, now);
  if (waiting !== null) return waiting;
  const { considered, filtered, chosen } = decision;
  return {
    reason: 'READY',
    evidence: { agents: considered, best: chosen, filtered },
    nextStep:
      'Nothing: an agent has room and the task is assigned when its turn comes, within a second or so.',
  };
}

/** The scores of agents for a task, best first, in the order of the formula and its ties. */
export function rankAgents(
  { fleet, index: { policy }, connections }: FleetView,
  agents: readonly FleetAgent[],
  task: AskedTask,
): readonly Score[] {
  const { connectedFrom, criteria } = task.needs;
  const linked = connectedFrom === null ? undefined : connectionsFrom(connections, fleet, connectedFrom);
  const asked = {
    asked: askedBy(task),
    priority: task.priority,
    strengths: strengthsOf(linked),
    preferredAgents: criteria.preferredAgents,
  };
  return agents
    .map((agent) => {
      const utilization = loadOf(agent) / agent.maxConcurrent;
      return { agent, utilization, scored: score(policy, agent, asked, utilization) };
    })
    .toSorted(
      (one, other) =>
        other.scored.total - one.scored.total ||
        one.utilization - other.utilization ||
        one.agent.movedAt - other.agent.movedAt ||
        (one.agent.id < other.agent.id ? -1 : 1),
    )
    .map(({ scored }) => scored);
}
