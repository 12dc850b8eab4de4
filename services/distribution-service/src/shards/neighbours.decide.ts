import type { QueuedTask } from '@baton/contracts';
import { pickBest } from '../assignment/agent.pick.js';
import { filterAgents } from '../assignment/candidates.filter.js';
import { classAgents, classNeedsOf } from '../assignment/classes.fold.js';
import { scoreAll, type FleetView } from '../assignment/task.decide.js';
import type { FleetAgent } from '../fleet/fleet.state.js';
import { roomOf } from '../fleet/slots.fold.js';
import { neighbourOf } from './ownership.fold.js';

/** What was asked already in the same round or before: how many tasks for an agent, which neighbours about a task. */
export type Asked = {
  readonly tasks: Map<string, number>;
  readonly neighbours: Map<string, readonly string[]>;
};

/**
 * The best agent of a neighbour for a task at `now` (milliseconds of the epoch), by the same scoring as for agents of
 * one's own, and notes it as asked; nothing where no neighbour that was not asked seems to have room. O(capable agents
 * of neighbours).
 */
export function chooseNeighbour(
  view: FleetView,
  task: QueuedTask,
  asked: Asked,
  now: number,
): { readonly agent: FleetAgent; readonly neighbour: string } | undefined {
  const { capable, others } = classAgents(view.classes, view.fleet, classNeedsOf(task.needs));
  if (others.length === 0) return undefined;
  const before = asked.neighbours.get(task.id) ?? [];
  const { candidates } = filterAgents(others, task.needs, now, capable);
  const open = candidates.filter((agent) => {
    const neighbour = neighbourOf(view.fleet, agent);
    const hasRoom = roomOf(agent) > (asked.tasks.get(agent.id) ?? 0);
    return hasRoom && neighbour !== undefined && !before.includes(neighbour);
  });
  const agent = pickBest(scoreAll(view, task, open), 1)[0]?.agent;
  const neighbour = agent && neighbourOf(view.fleet, agent);
  if (agent === undefined || neighbour === undefined) return undefined;
  asked.tasks.set(agent.id, (asked.tasks.get(agent.id) ?? 0) + 1);
  asked.neighbours.set(task.id, [...before, neighbour]);
  return { agent, neighbour };
}
