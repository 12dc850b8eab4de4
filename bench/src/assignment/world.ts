import type { Priority } from '@baton/contracts';
import { createRandom, type Random } from '../measure/random.js';
import { capacityOf } from './flow.js';

/** All times are in mean task durations. */
export type SimAgent = {
  readonly id: string;
  readonly slots: number;
  readonly speed: number;
  /** Level by skill. */
  readonly levels: ReadonlyMap<string, number>;
};
export type SimClass = {
  readonly name: string;
  readonly skills: readonly string[];
  readonly agents: readonly number[];
};
export type SimTask = {
  readonly id: string;
  readonly number: number;
  readonly kind: SimClass;
  readonly priority: Priority;
  readonly arrivesAt: number;
  /** How long it takes an agent of speed 1. */
  readonly work: number;
};
export type World = {
  readonly agents: readonly SimAgent[];
  readonly classes: readonly SimClass[];
  /** Work per unit of time at load 1. */
  readonly capacity: number;
};

/** For how long tasks of each priority should wait at most. */
export const OBJECTIVES: Readonly<Record<Priority, number>> = { 1: 0.25, 2: 0.5, 3: 1, 4: 3, 5: 10 };

const SKILLS = Array.from({ length: 20 }, (_, index) => `skill-${index}`);
const CLASSES = 64;
const PRIORITY_SHARES = [0.05, 0.2, 0.6, 0.85] as const;
/** As coding agents take for a request: p90 is ten times the median, p99 72 times. */
const WORK_SIGMA = 1.84;

/** A fleet and what is asked of it: skills by Zipf, two to six in an agent, three classes in ten ask for two; at least a tenth of the agents can do each. */
export function createWorld(seed: number, agents: number, slots = 5): World {
  const random = createRandom(seed * 7_919 + 1);
  const fleet = Array.from({ length: agents }, (_, index): SimAgent => {
    const names = zipfSome(random, 2 + random.below(5));
    return {
      id: `agent-${String(index).padStart(5, '0')}`,
      slots,
      speed: Math.exp(0.25 * random.normal() - 0.25 ** 2 / 2),
      levels: new Map(names.map((name) => [name, (8 + random.below(13)) / 20])),
    };
  });
  const classes: SimClass[] = [];
  while (classes.length < CLASSES) {
    const skills = zipfSome(random, random.next() < 0.3 ? 2 : 1);
    const capable = fleet.flatMap((agent, index) =>
      skills.every((skill) => agent.levels.has(skill)) ? [index] : [],
    );
    if (capable.length >= agents / 10) {
      classes.push({ name: `class-${classes.length}:${skills.join('+')}`, skills, agents: capable });
    }
  }
  const capacities = fleet.map(({ slots: places, speed }) => places * speed);
  const shares = classes.map(() => 1 / classes.length);
  // The flow of 10,000 agents takes minutes; of 100 and 1,000 it is all of the fleet but three thousandths.
  const total = capacities.reduce((sum, one) => sum + one, 0);
  const agentsOf = classes.map((kind) => kind.agents);
  const capacity = agents > 1_000 ? total : capacityOf({ shares, agentsOf, capacities });
  return { agents: fleet, classes, capacity };
}

/** Tasks as they arrive; in bursts the rate changes between two values every five durations, by chance. */
export function createTasks(
  world: World,
  seed: number,
  options: { readonly count: number; readonly load: number; readonly bursts: boolean },
): readonly SimTask[] {
  const random = createRandom(seed * 104_729 + 2);
  const rate = options.load * world.capacity;
  let now = 0;
  let isHigh = false;
  let switchAt = 0;
  return Array.from({ length: options.count }, (_, number): SimTask => {
    if (now >= switchAt) {
      isHigh = !isHigh;
      switchAt = now - 5 * Math.log(1 - random.next());
    }
    const factor = isHigh ? 1.6 : 0.4;
    now -= Math.log(1 - random.next()) / (rate * (options.bursts ? factor : 1));
    return {
      id: `task-${String(number).padStart(7, '0')}`,
      number,
      kind: world.classes[random.below(world.classes.length)] as SimClass,
      priority: priorityOf(random.next()),
      arrivesAt: now,
      work: Math.exp(WORK_SIGMA * random.normal() - WORK_SIGMA ** 2 / 2),
    };
  });
}

function priorityOf(drawn: number): Priority {
  return (PRIORITY_SHARES.findLastIndex((share) => drawn >= share) + 2) as Priority;
}

function zipfSome(random: Random, count: number): readonly string[] {
  const chosen = new Set<string>();
  const weights = SKILLS.map((_, index) => (index + 1) ** -0.8);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  while (chosen.size < count) {
    let drawn = random.next() * total;
    const index = weights.findIndex((weight) => (drawn -= weight) < 0);
    chosen.add(SKILLS[Math.max(0, index)] as string);
  }
  return [...chosen];
}
