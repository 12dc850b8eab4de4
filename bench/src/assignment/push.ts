import { PRIORITY_OFFSET_SECONDS } from '@baton/contracts';
import type { Dispatcher, Floor } from './floor.js';
import type { SimAgent, SimTask } from './world.js';

/** How the agent is chosen that a task is bound to when it arrives. */
export type PushRule =
  'random' | 'round robin' | 'two choices' | 'least loaded' | 'formula' | 'formula, queue counted';

/** How long the mean task takes: what the offsets of priorities are measured by. */
export const TASK_SECONDS = 30;

/**
 * Binds each task to an agent when it arrives, to wait in that agent's queue, by priority as everywhere. Knows everything
 * at once. Has no recovery: what an agent was doing when it crashed is lost, what it has queued waits for it.
 */
export function createPush(floor: Floor, rule: PushRule): Dispatcher {
  const { world, random } = floor;
  const queues = world.agents.map((): SimTask[] => []);
  const turns = new Map<string, number>();
  const load = (agent: number) => (floor.load(agent) + (queues[agent]?.length ?? 0)) / slotsOf(agent);

  return {
    arrive(task) {
      const agent = choose(task);
      insert(queues[agent] as SimTask[], task);
      begin(agent);
    },
    ended: (_, agent) => begin(agent),
    died: () => undefined,
    back: (agent) => {
      for (let slot = 0; slot < slotsOf(agent); slot += 1) begin(agent);
    },
  };

  function begin(agent: number): void {
    if (!floor.isUp(agent) || floor.load(agent) >= slotsOf(agent)) return;
    const task = queues[agent]?.shift();
    if (task !== undefined) floor.start(task, agent);
  }

  function slotsOf(agent: number): number {
    return world.agents[agent]?.slots ?? 1;
  }

  function choose(task: SimTask): number {
    const { agents, name } = task.kind;
    const any = () => agents[random.below(agents.length)] as number;
    switch (rule) {
      case 'random':
        return any();
      case 'round robin': {
        const turn = turns.get(name) ?? 0;
        turns.set(name, turn + 1);
        return agents[turn % agents.length] as number;
      }
      case 'two choices':
        return bestOf([any(), any()], (agent) => -load(agent));
      case 'least loaded':
        return bestOf(agents, (agent) => -load(agent));
      case 'formula':
        return bestOf(agents, (agent) => formula(task, agent, floor.load(agent) / slotsOf(agent)));
      case 'formula, queue counted':
        return bestOf(agents, (agent) => formula(task, agent, load(agent)));
    }
  }

  /** Without what is equal for all agents. */
  function formula(task: SimTask, agent: number, utilization: number): number {
    const workload = Math.max(0, 1 - 0.7 * utilization);
    return 0.4 * matchOf(task, world.agents[agent] as SimAgent) + 0.3 * workload;
  }
}

/** How well an agent does what a task asks for: the mean of its levels. */
export function matchOf({ kind: { skills } }: SimTask, { levels }: Pick<SimAgent, 'levels'>): number {
  return skills.reduce((sum, skill) => sum + (levels.get(skill) ?? 0), 0) / skills.length;
}

/** When a task is up, in milliseconds: later by the offset of its priority than it came. */
export function queueKeyOf({ arrivesAt, priority }: SimTask): number {
  return (arrivesAt * TASK_SECONDS + PRIORITY_OFFSET_SECONDS[priority]) * 1_000;
}

function bestOf(agents: readonly number[], worth: (agent: number) => number): number {
  let best = agents[0] as number;
  let most = Number.NEGATIVE_INFINITY;
  for (const agent of agents) {
    const value = worth(agent);
    if (value > most) [best, most] = [agent, value];
  }
  return best;
}

function insert(queue: SimTask[], task: SimTask): void {
  const key = queueKeyOf(task);
  let [low, high] = [0, queue.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (queueKeyOf(queue[middle] as SimTask) <= key) low = middle + 1;
    else high = middle;
  }
  queue.splice(low, 0, task);
}
