import { sampleBackends, sampleCpu, type CpuSample } from '../measure/cpu.js';
import type { System } from './system.js';
import type { PostgresCounts, Truth } from './truth.js';

/** What a stretch of work cost, for each of its tasks. */
export type Cost = {
  /** CPU by process in microseconds; undefined where the system does not tell. */
  readonly cpu: ReadonlyMap<string, number> | undefined;
  /** CPU of Postgres by purpose of the backend; what ended meanwhile is left out. */
  readonly postgresCpu: ReadonlyMap<string, number>;
  readonly transactions: number;
  readonly walBytes: number;
  readonly walFsyncs: number;
  /** Share of the stretch in which Postgres waited for the log to reach the disk, all backends added. */
  readonly walFsyncMs: number;
};

type Reading = {
  readonly cpu: CpuSample | undefined;
  readonly backends: ReadonlyMap<number, number>;
  readonly counts: PostgresCounts;
};

/** Starts to account; the function it gives ends that, after `tasks` tasks. */
export async function startAccounting(
  system: System,
  truth: Truth,
): Promise<(tasks: number) => Promise<Cost>> {
  const before = await read(system, truth);
  return async (tasks) => {
    const after = await read(system, truth);
    const purposes = await truth.backends();
    const perTask = (name: keyof PostgresCounts): number =>
      (after.counts[name] - before.counts[name]) / tasks;
    return {
      cpu: after.cpu && difference(after.cpu, before.cpu ?? new Map(), tasks),
      postgresCpu: byPurpose(difference(after.backends, before.backends, tasks), purposes),
      transactions: perTask('transactions'),
      walBytes: perTask('walBytes'),
      walFsyncs: perTask('walFsyncs'),
      walFsyncMs: perTask('walFsyncMs'),
    };
  };
}

async function read(system: System, truth: Truth): Promise<Reading> {
  const [cpu, backends] = await Promise.all([sampleCpu(system.processes()), sampleBackends()]);
  return { cpu, backends, counts: await truth.counts() };
}

/** Milliseconds of work to microseconds for each task. */
function difference<Key>(
  after: ReadonlyMap<Key, number>,
  before: ReadonlyMap<Key, number>,
  tasks: number,
): ReadonlyMap<Key, number> {
  const entries = [...after].map(
    ([key, ms]) => [key, ((ms - (before.get(key) ?? 0)) * 1_000) / tasks] as const,
  );
  return new Map(entries);
}

function byPurpose(
  byPid: ReadonlyMap<number, number>,
  purposes: ReadonlyMap<number, string>,
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [pid, microseconds] of byPid) {
    const purpose = purposes.get(pid) ?? 'other';
    sums.set(purpose, (sums.get(purpose) ?? 0) + microseconds);
  }
  return new Map([...sums].toSorted(([, a], [, b]) => b - a));
}
