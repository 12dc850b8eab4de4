import type { QueuedTask } from '@baton/contracts';
import { decideNeighbour, type FleetView } from '../engine/task.decide.js';
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
 * one's own, and notes it as asked; nothing where no neighbour that was not asked seems to have room.
 */
export function chooseNeighbour(
  view: FleetView,
  task: QueuedTask,
  asked: Asked,
  now: number,
): { readonly agent: FleetAgent; readonly neighbour: string } | undefined {
  const before = asked.neighbours.get(task.id) ?? [];
  const agent = decideNeighbour(view, task, now, (candidate) => {
    const neighbour = neighbourOf(view.fleet, candidate);
    const hasRoom = roomOf(candidate) > (asked.tasks.get(candidate.id) ?? 0);
    return hasRoom && neighbour !== undefined && !before.includes(neighbour);
  });
  const neighbour = agent && neighbourOf(view.fleet, agent);
  if (agent === undefined || neighbour === undefined) return undefined;
  asked.tasks.set(agent.id, (asked.tasks.get(agent.id) ?? 0) + 1);
  asked.neighbours.set(task.id, [...before, neighbour]);
  return { agent, neighbour };
}
