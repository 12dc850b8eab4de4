import { createRandom } from '../measure/random.js';
import { createClock } from './clock.js';
import { createClaims } from './claims.js';
import { createDistributors, type DistributorsOptions } from './distributors.js';
import { figuresOf, type Figures } from './figures.js';
import { createFloor, type Dispatcher, type Floor, type FloorOptions } from './floor.js';
import { createPush, type PushRule } from './push.js';
import { createTasks, createWorld, type SimTask, type World } from './world.js';

/** What arrives where, and what goes wrong. The same seed gives the same agents and tasks, whoever dispatches. */
export type Scenario = {
  readonly name: string;
  readonly agents: number;
  readonly load: number;
  readonly tasks: number;
  readonly bursts?: boolean;
  readonly crashes?: FloorOptions['crashes'];
  /** Agents claim levels that are not true, and what is true changes half way. */
  readonly hasClaims?: boolean;
};

/** Who decides. */
export type Contestant = { readonly name: string } & (
  | { readonly push: PushRule }
  | ({ readonly push?: undefined; readonly isOracle?: boolean } & DistributorsOptions)
);

const worlds = new Map<string, World>();

/** One run of one contestant in virtual time. */
export function simulate(scenario: Scenario, contestant: Contestant, seed: number): Figures {
  const { agents, crashes } = scenario;
  const honest = worldOf(seed, agents);
  const isOracle = contestant.push === undefined && contestant.isOracle === true;
  const claims = scenario.hasClaims === true ? createClaims(honest, seed) : undefined;
  const world = claims === undefined ? honest : { ...honest, agents: claims.agentsSeenBy({ isOracle }) };
  const tasks = createTasks(world, seed, {
    count: scenario.tasks,
    load: scenario.load,
    bursts: scenario.bursts ?? false,
  });
  const clock = createClock();
  const random = createRandom(seed * 15_485_863 + 3);
  let traffic = { assignments: 1, conflicts: 0 };
  const create = (floor: Floor): Dispatcher => {
    if (contestant.push !== undefined) return createPush(floor, contestant.push);
    const distributors = createDistributors(floor, contestant);
    ({ traffic } = distributors);
    if (claims !== undefined) {
      clock.at((tasks.at(-1)?.arrivesAt ?? 0) / 2, () => {
        claims.drift();
        if (isOracle) distributors.learnLevels((agent) => claims.levelsOf(agent));
      });
    }
    return distributors;
  };
  const options = {
    tasks,
    random,
    ...(crashes === undefined ? {} : { crashes }),
    ...(claims === undefined
      ? {}
      : { successOf: (agent: number, task: SimTask) => claims.successOf(agent, task) }),
  };
  const { records } = createFloor(world, clock, options, create);
  const end = (tasks.at(-1)?.arrivesAt ?? 0) + 100;
  clock.run(end);
  return figuresOf(world, records, { end, conflicts: traffic.conflicts / traffic.assignments });
}

function worldOf(seed: number, agents: number): World {
  const key = `${seed} ${agents}`;
  const world = worlds.get(key) ?? createWorld(seed, agents);
  worlds.set(key, world);
  return world;
}
