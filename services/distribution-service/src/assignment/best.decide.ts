import type { QueuedTask } from '@baton/contracts';
import type { FleetView } from '../engine/task.decide.js';
import { skippedAt, unfitness } from './candidates.filter.js';
import { rankAgents } from './choice.decide.js';

/**
 * The tasks that would go to this agent at `now` (milliseconds of the epoch) if every agent had room: those of which
 * it is the best of the whole fleet, by a look at each agent. O(tasks and agents), for people to see.
 */
export function tasksFor(
  viewFor: (task: QueuedTask) => FleetView,
  agentId: string,
  tasks: readonly QueuedTask[],
  now: number,
): readonly string[] {
  return tasks
    .filter((task) => {
      const view = viewFor(task);
      const skipped = skippedAt(task.needs, now);
      const fit = [...view.fleet.agents.values()].filter(
        (agent) => unfitness(agent, task.needs, skipped) === undefined,
      );
      return rankAgents(view, fit, task)[0]?.agentId === agentId;
    })
    .map(({ id }) => id);
}
