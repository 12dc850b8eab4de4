import type { Figures } from './figures.js';
import type { Contestant, Scenario } from './simulate.js';

/** One line of the table: who decides about what, how often with what seeds, and what must come of it. */
export type Row = {
  readonly scenario: Scenario;
  readonly contestant: Contestant;
  readonly bars: readonly Bar[];
};
export type Bar = {
  readonly says: string;
  holds(figures: Figures, others: (contestant: string) => Figures): boolean;
};

const late = (name: string, options: Partial<Extract<Contestant, { policy: string }>> = {}): Contestant => {
  return { name, policy: 'weighted', replicas: 1, commitMs: 5, staleMs: 1, isLearning: false, ...options };
};
const pushed: readonly Contestant[] = [
  { name: 'push: random', push: 'random' },
  { name: 'push: round robin', push: 'round robin' },
  { name: 'push: two choices', push: 'two choices' },
  { name: 'push: least loaded', push: 'least loaded' },
  { name: 'push: formula', push: 'formula' },
  { name: 'push: formula, queue counted', push: 'formula, queue counted' },
];
const plainPush = pushed[4] as Contestant;
const policies: readonly Contestant[] = [
  late('weighted'),
  late('fit', { policy: 'fit' }),
  late('round-robin', { policy: 'round-robin' }),
  late('least-loaded', { policy: 'least-loaded' }),
];

/** Every run of the comparison, in the order of the table. */
export function rowsOf(tasks: number): readonly Row[] {
  const scenario = (name: string, load: number, rest: Partial<Scenario> = {}): Scenario => {
    return { name, agents: 100, load, tasks, ...rest };
  };
  const all = (
    one: Scenario,
    contestants: readonly Contestant[],
    bars: Readonly<Record<string, readonly Bar[]>>,
  ) =>
    contestants.map((contestant): Row => ({ scenario: one, contestant, bars: bars[contestant.name] ?? [] }));
  return [
    ...all(scenario('load 0.5', 0.5), [...pushed, ...policies], {
      weighted: [waits(0.01), matches('push: least loaded', 0.14), urgent(1)],
      fit: [waits(0.01), matches('weighted', 0.015), urgent(1)],
    }),
    ...all(scenario('load 0.8', 0.8), [...pushed, ...policies], {
      weighted: [waits(0.05), matches('push: least loaded', 0.11), urgent(1)],
      fit: [waits(0.05), urgent(1)],
    }),
    ...all(scenario('load 0.95', 0.95), [...pushed, ...policies], {
      weighted: [waits(1.2), matches('push: least loaded', 0.05), urgent(1)],
      fit: [waits(1.2), urgent(1)],
    }),
    ...all(scenario('overload 1.1', 1.1), [plainPush, late('weighted')], {
      weighted: [urgent(0.99), bounded()],
    }),
    ...all(scenario('bursts, mean load 0.8', 0.8, { bursts: true }), [plainPush, late('weighted')], {
      weighted: [urgent(0.99)],
    }),
    ...all(
      scenario('crashes, load 0.8', 0.8, { crashes: { between: 100, away: 4 } }),
      [plainPush, late('weighted')],
      {
        weighted: [inTime(1.4)],
      },
    ),
    ...all(
      scenario('8 distributors 100 ms behind, load 0.95', 0.95),
      [late('weighted, 8 distributors', { replicas: 8, staleMs: 100 })],
      { 'weighted, 8 distributors': [conflicts(0.05)] },
    ),
    ...all(
      scenario('wrong claims, load 0.7', 0.7, { hasClaims: true, tasks: 2.5 * tasks }),
      [
        late('declared levels'),
        late('oracle', { isOracle: true }),
        late('learned levels', { isLearning: true }),
      ],
      { 'learned levels': [succeeds(0.015)] },
    ),
    ...all(
      scenario('1,000 agents, load 0.95', 0.95, { agents: 1_000, tasks: 2 * tasks }),
      [late('weighted')],
      {
        weighted: [waits(1.2), urgent(1)],
      },
    ),
    ...all(
      scenario('10,000 agents, load 0.95', 0.95, { agents: 10_000, tasks: 3 * tasks }),
      [late('weighted')],
      {
        weighted: [waits(1.2), urgent(1)],
      },
    ),
  ];
}

function waits(most: number): Bar {
  return { says: `p99 wait at most ${most}`, holds: ({ waitP99 }) => waitP99 <= most };
}

function urgent(least: number): Bar {
  return {
    says: `priority 1 within its objective for ${100 * least} %`,
    holds: ({ urgentObjectives }) => urgentObjectives >= least,
  };
}

/** The offset of priority 5 is 120 mean durations, after which nothing overtakes it any more. */
function bounded(): Bar {
  return { says: 'longest wait of priority 5 at most 200', holds: ({ lowestMax }) => lowestMax <= 200 };
}

function matches(other: string, more: number): Bar {
  return {
    says: `match above ${other} by ${more}`,
    holds: ({ match }, others) => match >= others(other).match + more,
  };
}

function inTime(times: number): Bar {
  return {
    says: `completed in time ${times} times as many as by push: formula`,
    holds: (figures, others) => figures.inTime >= times * others('push: formula').inTime,
  };
}

function conflicts(most: number): Bar {
  return { says: `conflicts per assignment at most ${most}`, holds: (figures) => figures.conflicts <= most };
}

function succeeds(less: number): Bar {
  return {
    says: `success within ${100 * less} points of the oracle`,
    holds: ({ success }, others) => success >= others('oracle').success - less,
  };
}
