import type { MetricFigures } from '@baton/contracts';
import type { Counter } from '../rollups/rollup.fold.js';
import { decodeInto, emptySketches, MEASURES, quantileOf, type Measure } from '../rollups/sketch.js';

/** Rollups of a window summed up. */
export type Sum = Readonly<Record<Counter, number>> & {
  /** Written one behind the other. */
  readonly sketches: Uint8Array | null;
};

/** How many seconds of a window, and which percentiles of its times are asked for. */
export type Asked = { readonly windowSeconds: number; readonly percentiles: readonly number[] };

const SUM_OF = {
  duration: 'duration_us',
  run: 'run_us',
  wait: 'wait_us',
  endToEnd: 'end_to_end_us',
} as const satisfies Record<Measure, Counter>;

/** The figures of a sum, by the formulas of the domain's table of metrics. */
export function figuresOf(sum: Sum | undefined, { windowSeconds, percentiles }: Asked): MetricFigures {
  const countOf = (name: Counter): number => sum?.[name] ?? 0;
  const completed = countOf('completed');
  const ended = completed + countOf('failed') + countOf('cancelled');
  const sketches = emptySketches();
  if (sum?.sketches) decodeInto(sketches, sum.sketches);
  const times = Object.fromEntries(
    MEASURES.map((measure) => [
      measure,
      {
        mean: ratio(countOf(SUM_OF[measure]) / 1e6, completed),
        ...Object.fromEntries(
          percentiles.map((percent) => [`p${percent}`, quantileOf(sketches[measure], percent / 100)]),
        ),
      },
    ]),
  ) as unknown as Pick<MetricFigures, Measure>;
  return {
    created: countOf('created'),
    queued: countOf('queued'),
    assigned: countOf('assigned'),
    started: countOf('started'),
    blocked: countOf('blocked'),
    ended: { completed, failed: countOf('failed'), cancelled: countOf('cancelled') },
    completionRate: ratio(completed, ended),
    failureRate: ratio(countOf('failed'), ended),
    throughputPerHour: ratio(completed * 3_600, windowSeconds),
    ...times,
    delegation: {
      delegated: countOf('delegated'),
      completed: countOf('delegated_completed'),
      ended: countOf('delegated_ended'),
      efficiency: ratio(countOf('delegated_completed'), countOf('delegated_ended')),
    },
  };
}

export function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

/** How alike values are: Jain's index (1: all alike, 1/n: one has all), and deviation / mean. */
export function evennessOf(values: readonly number[]): {
  readonly jain: number | null;
  readonly coefficientOfVariation: number | null;
} {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  if (sum === 0) return { jain: null, coefficientOfVariation: null };
  const mean = sum / values.length;
  return {
    jain: (sum * sum) / (values.length * squares),
    coefficientOfVariation: Math.sqrt(Math.max(0, squares / values.length - mean * mean)) / mean,
  };
}
