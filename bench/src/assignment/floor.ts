import type { Random } from '../measure/random.js';
import type { Clock } from './clock.js';
import type { SimTask, World } from './world.js';

/** What became of a task. */
export type TaskRecord = {
  readonly task: SimTask;
  /** When it was first begun, and by whom. */
  startedAt: number | undefined;
  agent: number | undefined;
  completedAt: number | undefined;
  succeeded: boolean | undefined;
};

/** Who decides which agent does which task. It is told what happens and calls `start`. */
export type Dispatcher = {
  arrive(task: SimTask): void;
  ended(task: SimTask, agent: number, succeeded: boolean): void;
  /** An agent is gone, and with it what it was doing. */
  died(agent: number, lost: readonly SimTask[]): void;
  back(agent: number): void;
};

/** The agents at work: what really happens, whatever dispatchers believe. */
export type Floor = {
  readonly world: World;
  readonly clock: Clock;
  readonly random: Random;
  readonly records: readonly TaskRecord[];
  /** Tasks an agent is doing. */
  load(agent: number): number;
  isUp(agent: number): boolean;
  /** An agent begins a task. Throws when it is down or full: whoever decides must know better. */
  start(task: SimTask, agent: number): void;
};

export type FloorOptions = {
  readonly tasks: readonly SimTask[];
  readonly random: Random;
  /** Mean time between crashes of an agent, and how long it is away then. */
  readonly crashes?: { readonly between: number; readonly away: number };
  /** How likely an agent succeeds in a task that begins now. */
  readonly successOf?: (agent: number, task: SimTask) => number;
};

/** A floor on which these tasks arrive, with the dispatcher that `create` makes for it. */
export function createFloor(
  world: World,
  clock: Clock,
  options: FloorOptions,
  create: (floor: Floor) => Dispatcher,
): Floor {
  const { tasks, random, crashes, successOf = () => 1 } = options;
  const running = world.agents.map(() => new Map<SimTask, number>());
  const isUp = world.agents.map(() => true);
  const records = tasks.map((task): TaskRecord => {
    return { task, startedAt: undefined, agent: undefined, completedAt: undefined, succeeded: undefined };
  });
  let lives = 0;
  const floor: Floor = {
    world,
    clock,
    random,
    records,
    load: (agent) => running[agent]?.size ?? 0,
    isUp: (agent) => isUp[agent] ?? false,
    start,
  };
  const dispatcher = create(floor);
  arriveNext(0);
  if (crashes !== undefined) world.agents.forEach((_, agent) => crashLater(agent));
  return floor;

  function arriveNext(number: number): void {
    const task = tasks[number];
    if (task === undefined) return;
    clock.at(task.arrivesAt, () => {
      arriveNext(number + 1);
      dispatcher.arrive(task);
    });
  }

  function start(task: SimTask, agent: number): void {
    const { slots = 0, speed = 1 } = world.agents[agent] ?? {};
    const held = running[agent];
    const record = records[task.number];
    if (held === undefined || record === undefined || !isUp[agent])
      throw new Error(`agent ${agent} is not up`);
    if (held.size >= slots) throw new Error(`agent ${agent} has no slot left`);
    lives += 1;
    const life = lives;
    held.set(task, life);
    record.startedAt ??= clock.now();
    record.agent = agent;
    clock.at(clock.now() + task.work / speed, () => {
      if (held.get(task) !== life) return;
      held.delete(task);
      record.completedAt = clock.now();
      record.succeeded = random.next() < successOf(agent, task);
      dispatcher.ended(task, agent, record.succeeded);
    });
  }

  function crashLater(agent: number): void {
    const { between, away } = crashes ?? { between: 1, away: 1 };
    const last = tasks.at(-1)?.arrivesAt ?? 0;
    const at = clock.now() - between * Math.log(1 - random.next());
    if (at > last) return;
    clock.at(at, () => {
      isUp[agent] = false;
      const lost = [...(running[agent]?.keys() ?? [])];
      running[agent]?.clear();
      dispatcher.died(agent, lost);
      clock.at(clock.now() + away, () => {
        isUp[agent] = true;
        dispatcher.back(agent);
        crashLater(agent);
      });
    });
  }
}
