import type { Priority } from '@baton/contracts';
import { percentiles } from '../measure/percentiles.js';
import type { TaskRecord } from './floor.js';
import { matchOf } from './push.js';
import { OBJECTIVES, type World } from './world.js';

/** How well tasks were assigned; times in mean task durations, shares 0..1. */
export type Figures = {
  readonly waitMean: number;
  readonly waitP99: number;
  readonly urgentP99: number;
  /** Tasks, and those of priority 1, that did not wait longer than their priority should. */
  readonly objectives: number;
  readonly urgentObjectives: number;
  /** The longest a task of the lowest priority waited. */
  readonly lowestMax: number;
  /** The mean level at what was asked for. */
  readonly match: number;
  /** Tasks completed within four mean durations and three times their own work. */
  readonly inTime: number;
  /** Of those in the last tenth, the share that succeeded. */
  readonly success: number;
  readonly conflicts: number;
};

/** The figures of a run that ended at `end`, without what arrived in the first tenth and the last twentieth. */
export function figuresOf(
  world: World,
  all: readonly TaskRecord[],
  { end, conflicts }: { readonly end: number; readonly conflicts: number },
): Figures {
  const records = all.slice(Math.floor(all.length * 0.1), Math.ceil(all.length * 0.95));
  const waits = records.map(({ task, startedAt }) => (startedAt ?? end) - task.arrivesAt);
  const waitsOf = (priority: Priority) =>
    waits.filter((_, index) => records[index]?.task.priority === priority);
  const begun = records.filter(({ agent }) => agent !== undefined);
  const late = records
    .slice(Math.floor(records.length * 0.9))
    .filter(({ succeeded }) => succeeded !== undefined);
  return {
    waitMean: mean(waits),
    waitP99: percentiles(waits, { p99: 0.99 }).p99,
    urgentP99: percentiles(waitsOf(1), { p99: 0.99 }).p99,
    objectives: shareOf(records, ({ task }, index) => (waits[index] ?? 0) <= OBJECTIVES[task.priority]),
    urgentObjectives: shareOf(waitsOf(1), (wait) => wait <= OBJECTIVES[1]),
    lowestMax: waitsOf(5).reduce((most, wait) => Math.max(most, wait), 0),
    match: mean(
      begun.map(({ task, agent }) => matchOf(task, world.agents[agent ?? 0] ?? { levels: new Map() })),
    ),
    inTime: shareOf(records, ({ task, completedAt }) => {
      return completedAt !== undefined && completedAt <= task.arrivesAt + 4 + 3 * task.work;
    }),
    success: shareOf(late, ({ succeeded }) => succeeded === true),
    conflicts,
  };
}

/** The mean of each figure. */
export function meanFigures(figures: readonly Figures[]): Figures {
  const [first] = figures;
  if (first === undefined) throw new Error('expected the figures of one run at least, got none');
  const names = Object.keys(first) as (keyof Figures)[];
  return Object.fromEntries(names.map((name) => [name, mean(figures.map((one) => one[name]))])) as Figures;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function shareOf<T>(values: readonly T[], isIn: (value: T, index: number) => boolean): number {
  return values.filter(isIn).length / values.length;
}
