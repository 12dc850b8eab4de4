import { describe, expect, it } from '@jest/globals';
import { simulate, type Contestant, type Scenario } from './simulate.js';

const scenario: Scenario = { name: 'small', agents: 20, load: 0.9, tasks: 800 };
const engine = (options: Partial<Extract<Contestant, { policy: string }>> = {}): Contestant => {
  return {
    name: 'engine',
    policy: 'weighted',
    replicas: 1,
    commitMs: 5,
    staleMs: 1,
    isLearning: false,
    ...options,
  };
};

// An agent that got more than it has slots for ends a run with an error.
describe('a simulated run', () => {
  it('is the same again for the same seed, and another for another', () => {
    const [one, same, other] = [1, 1, 2].map((seed) => simulate(scenario, engine(), seed));
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it('keeps several distributors with old views apart', () => {
    const figures = simulate(scenario, engine({ replicas: 4, staleMs: 100 }), 1);
    expect(figures.conflicts).toBeLessThan(0.2);
    expect(figures.waitP99).toBeLessThan(10);
  });

  it('gives what a crashed agent had to others, and nothing of it without recovery', () => {
    const crashing = { ...scenario, load: 0.5, crashes: { between: 10, away: 2 } };
    const recovered = simulate(crashing, engine(), 1);
    const lost = simulate(crashing, { name: 'push', push: 'formula' }, 1);
    expect(recovered.inTime).toBeGreaterThan(lost.inTime);
  });

  it('finds better agents than least loaded does, best by the policy that knows prices', () => {
    const calm = { ...scenario, load: 0.4 };
    const [least, weighted, fit] = [
      simulate(calm, { name: 'push', push: 'least loaded' }, 1),
      simulate(calm, engine(), 1),
      simulate(calm, engine({ policy: 'fit' }), 1),
    ].map(({ match }) => match) as [number, number, number];
    expect(weighted).toBeGreaterThan(least + 0.05);
    expect(fit).toBeGreaterThan(weighted);
  });

  it('has more success once it learns than by what agents claim', () => {
    const claimed = { ...scenario, load: 0.5, tasks: 3_000, hasClaims: true };
    const [declared, learned] = [false, true].map(
      (isLearning) => simulate(claimed, engine({ isLearning }), 1).success,
    );
    expect(learned).toBeGreaterThan(declared as number);
  });
});
