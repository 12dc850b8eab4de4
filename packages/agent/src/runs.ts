import type { Assignment } from '@baton/contracts';
import { createRecent } from './recent.js';
import type { Hold } from './task-commands.js';

/** Runs remembered after their end, so that an offer repeated late is not taken for a new one. */
const REMEMBERED = 10_000;

/**
 * `ending`: the handler is through, its last command not yet answered. `returning`: given back without a start.
 */
type RunState = 'queued' | 'starting' | 'running' | 'ending' | 'returning';

/** One assignment this process accepted. */
export type Run = {
  readonly assignment: Assignment;
  readonly hold: Hold;
  readonly abort: AbortController;
  readonly state: RunState;
};
type MutableRun = Run & { state: RunState };

/** What an offered assignment is to this process. `outdated`: a later attempt of the task is known. */
type Standing = 'new' | 'known' | 'outdated';

/** The tasks this process has, and those it had until lately. */
export type Runs = {
  standing(taskId: string, attempt: number): Standing;
  hasRoom(): boolean;
  /** Takes the place of an earlier attempt. */
  add(assignment: Assignment, epoch: number): void;
  get(taskId: string): Run | undefined;
  /** Whether this is still the run of its task. */
  has(run: Run): boolean;
  all(): readonly Run[];
  /** The next to start, while one of the `maxConcurrent` slots is free. */
  next(): Run | undefined;
  move(run: Run, state: Exclude<RunState, 'queued'>): void;
  /** The run is over; `forgotten` ones may be offered again as if new. */
  remove(run: Run, options?: { readonly forgotten: boolean }): void;
  whenEmpty(): Promise<void>;
};

export function createRuns(limits: { readonly maxConcurrent: number; readonly prefetch: number }): Runs {
  const runs = new Map<string, Run>();
  const queued = new Set<Run>();
  const finished = createRecent<number>(REMEMBERED);
  const waiting: (() => void)[] = [];
  // Runs that end and handlers told to stop do not count: Baton may see their slots as free already.
  let active = 0;

  function leave(run: Run): void {
    queued.delete(run);
    if (isActive(run.state)) active -= 1;
  }

  return {
    standing(taskId, attempt) {
      const latest = Math.max(runs.get(taskId)?.hold.attempt ?? -1, finished.get(taskId) ?? -1);
      if (attempt === latest) return 'known';
      return attempt > latest ? 'new' : 'outdated';
    },
    hasRoom: () => active + queued.size < limits.maxConcurrent + limits.prefetch,
    add(assignment, epoch) {
      const { task, attempt } = assignment;
      const hold = { taskId: task.id, attempt, epoch };
      const run: Run = { assignment, hold, abort: new AbortController(), state: 'queued' };
      runs.set(task.id, run);
      queued.add(run);
    },
    get: (taskId) => runs.get(taskId),
    has: (run) => runs.get(run.hold.taskId) === run,
    all: () => [...runs.values()],
    next() {
      if (active >= limits.maxConcurrent) return undefined;
      const [first] = queued;
      return first;
    },
    move(run, state) {
      leave(run);
      (run as MutableRun).state = state;
      if (isActive(state)) active += 1;
    },
    remove(run, options) {
      leave(run);
      runs.delete(run.hold.taskId);
      if (options?.forgotten !== true) finished.set(run.hold.taskId, run.hold.attempt);
      if (runs.size === 0) for (const resolve of waiting.splice(0)) resolve();
    },
    whenEmpty: () => new Promise((resolve) => (runs.size === 0 ? resolve() : waiting.push(resolve))),
  };
}

function isActive(state: RunState): boolean {
  return state === 'starting' || state === 'running';
}
