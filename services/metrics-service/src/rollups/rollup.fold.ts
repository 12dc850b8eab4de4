import { bucketAt, FINEST_SECONDS, LEVELS } from './levels.policy.js';
import { emptySketches, mergeInto, type Sketches } from './sketch.js';

/** What is counted. Times are microseconds; their sums are of completed tasks. */
export const COUNTERS = [
  'created',
  'queued',
  'assigned',
  'started',
  'blocked',
  'delegated',
  'completed',
  'failed',
  'cancelled',
  'delegated_completed',
  'delegated_ended',
  'duration_us',
  'run_us',
  'wait_us',
  'end_to_end_us',
  /** Attempts that began, less those that ended; */
  'active_delta',
  /** and the sum of when, after the beginning of the bucket: together the integral of what ran. */
  'active_at_us',
] as const;
export type Counter = (typeof COUNTERS)[number];
export type Counts = Readonly<Record<Counter, number>>;

/** Figures of one bucket of tasks that have these in common; `*` and 0 for all of them. */
export type Group = {
  readonly at: number;
  /** Empty for what concerns no agent. */
  readonly agent: string;
  readonly type: string;
  readonly priority: number;
};
export type Figures = { readonly counts: Record<Counter, number>; readonly sketches: Sketches };

const ANY = '*';
const ANY_PRIORITY = 0;

/** Which of agent, type and priority a row tells apart, as the database keeps it. */
export const DIMENSIONS = { agent: 4, type: 2, priority: 1 } as const;
export type Dimension = keyof typeof DIMENSIONS;

function dimensionsOf({ agent, type, priority }: Omit<Group, 'at'>): number {
  const bits = [
    agent === ANY ? 0 : DIMENSIONS.agent,
    type === ANY ? 0 : DIMENSIONS.type,
    priority === ANY_PRIORITY ? 0 : DIMENSIONS.priority,
  ];
  return bits.reduce((sum, bit) => sum + bit, 0);
}

/** Figures by group. */
export class Gathered<T extends { readonly at: number }, F> {
  readonly #groups = new Map<string, { readonly group: T; readonly figures: F }>();

  constructor(
    private readonly keyOf: (group: T) => string,
    private readonly empty: () => F,
  ) {}

  of(group: T): F {
    const key = this.keyOf(group);
    const found = this.#groups.get(key);
    if (found) return found.figures;
    const figures = this.empty();
    this.#groups.set(key, { group, figures });
    return figures;
  }

  /** An empty one of the same kind. */
  like(): Gathered<T, F> {
    return new Gathered(this.keyOf, this.empty);
  }

  all(): readonly { readonly group: T; readonly figures: F }[] {
    return [...this.#groups.values()];
  }
}

export function gatherFigures(): Gathered<Group, Figures> {
  return new Gathered(
    ({ at, agent, type, priority }) => `${at} ${agent} ${type} ${priority}`,
    () => ({
      counts: Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<Counter, number>,
      sketches: emptySketches(),
    }),
  );
}

export type Rollup = Group & Figures & { readonly level: number; readonly dimensions: number };

/**
 * The rows that figures of the finest buckets come to: for each level that still keeps their time, and for each choice
 * of what is told apart, so that whatever a query names is read from rows that are summed already. `now` is seconds of
 * the epoch.
 */
export function rollUp(gathered: Gathered<Group, Figures>, now: number): readonly Rollup[] {
  return LEVELS.flatMap((level) => {
    const sums = gatherFigures();
    for (const { group, figures } of gathered.all()) {
      if (group.at + FINEST_SECONDS < now - level.keepSeconds) continue;
      const at = bucketAt(level, group.at);
      for (const wider of widened({ ...group, at })) {
        const sum = sums.of(wider);
        for (const name of COUNTERS) sum.counts[name] += figures.counts[name];
        // Its moments are now told from the beginning of a wider bucket.
        sum.counts.active_at_us += figures.counts.active_delta * (group.at - at) * 1e6;
        mergeInto(sum.sketches, figures.sketches);
      }
    }
    return sums.all().map(({ group, figures }) => ({
      level: level.seconds,
      dimensions: dimensionsOf(group),
      ...group,
      ...figures,
    }));
  });
}

function widened(group: Group): readonly Group[] {
  const agents = [group.agent, ANY];
  const types = [group.type, ANY];
  const priorities = [group.priority, ANY_PRIORITY];
  return agents.flatMap((agent) =>
    types.flatMap((type) => priorities.map((priority) => ({ at: group.at, agent, type, priority }))),
  );
}
