import { createRandom } from '../measure/random.js';
import { matchOf } from './push.js';
import type { SimAgent, SimTask, World } from './world.js';

/** How likely agents succeed, which is not what they claim. */
export type Claims = {
  /** The agents with what they claim, or, to an oracle, with what is true. */
  agentsSeenBy(observer: { readonly isOracle: boolean }): readonly SimAgent[];
  levelsOf(agent: number): ReadonlyMap<string, number>;
  successOf(agent: number, task: SimTask): number;
  /** A fifth of what is true becomes something else. */
  drift(): void;
};

/**
 * True levels between 0.35 and 0.95; claims with a standard deviation of 0.2 around them, a quarter of the agents claiming
 * 0.3 more.
 */
export function createClaims(world: World, seed: number): Claims {
  const random = createRandom(seed * 32_452_843 + 4);
  const truth = () => 0.35 + 0.6 * random.next();
  const levels = world.agents.map(
    (agent) => new Map([...agent.levels.keys()].map((skill) => [skill, truth()])),
  );
  const claimed = levels.map((of) => {
    const boast = random.next() < 0.25 ? 0.3 : 0;
    return new Map([...of].map(([skill, level]) => [skill, clamp(level + 0.2 * random.normal() + boast)]));
  });
  const levelsOf = (agent: number): ReadonlyMap<string, number> => levels[agent] ?? new Map<string, number>();

  return {
    levelsOf,
    agentsSeenBy: ({ isOracle }) =>
      world.agents.map((agent, index) => ({
        ...agent,
        levels: isOracle ? new Map(levelsOf(index)) : (claimed[index] ?? agent.levels),
      })),
    successOf: (agent, task) => matchOf(task, { levels: levelsOf(agent) }),
    drift() {
      for (const of of levels) for (const skill of of.keys()) if (random.next() < 0.2) of.set(skill, truth());
    },
  };
}

function clamp(level: number): number {
  return Math.min(1, Math.max(0, level));
}
