import { until } from '@baton/testkit';
import { startAgentHost, type AgentHost } from './agents.js';
import { createGraph, createTasks, type Acknowledged, type Body, type LoadOptions } from './load.js';
import { readTaskStream, type TaskStream } from './streams.js';
import type { System } from './system.js';
import { expectTruth, installCapacityAlarm, type Truth } from './truth.js';

export type WorkOptions = {
  /** How many at least; there are always as many as it takes to last as long as the test. */
  readonly tasks?: number;
  /** Tasks created in a second. */
  readonly perSecond: number;
  /** How long a handler works, or between which two times. */
  readonly workMs: number | readonly [number, number];
  /** Where tasks are created, asked before each request; every replica of task-service when left out. */
  readonly urls?: () => readonly string[];
  /** Pairs of tasks created at the start, the second of which waits for the first (2 s); none when left out. */
  readonly pairs?: number;
};

/** All in one process. */
const AGENTS = 5;
const SLOTS = 4;
const PAIR_WORK_MS = 2_000;

/** Tasks on their way while something happens to the system. */
export type Work = {
  readonly host: AgentHost;
  /** The ids of the pairs, one after the other. */
  readonly paired: readonly string[];
  /** How many tasks have this status now. */
  count(status: string): Promise<number>;
  untilCompleted(count: number): Promise<void>;
  /** Waits for a moment in which agents work, for something to happen in it. */
  untilInProgress(): Promise<void>;
  /** Waits until the stream of task events is there, again. */
  untilStreamIsBack(): Promise<TaskStream>;
};

export type Outcome = { readonly acknowledged: Acknowledged; readonly truth: Truth };

/**
 * Runs a test while tasks are created and done. Afterwards every one of them must have been acknowledged, have
 * completed, and all that the database holds must be as promised; no agent may have been expired.
 */
export async function withWork(
  system: System,
  options: WorkOptions,
  test: (work: Work) => Promise<void>,
): Promise<Outcome> {
  await installCapacityAlarm(system);
  const host = await startAgentHost({
    nats: system.nats,
    agents: Array.from({ length: AGENTS }, (_, index) => ({
      id: `worker-${index + 1}`,
      capabilities: ['work'],
      maxConcurrent: SLOTS,
    })),
    workMs: options.workMs,
  });
  try {
    const { urls = () => system.tasks.map(({ httpUrl }) => httpUrl ?? '') } = options;
    const pairs = Array.from({ length: options.pairs ?? 0 }, (_, index) => pair(index)).flat();
    const paired = pairs.length === 0 ? [] : (await createGraph(urls, pairs)).ids;
    const tested = new AbortController();
    const testing = test(workOf(system, host, paired)).finally(() => tested.abort());
    const [acknowledged] = await Promise.all([createWhile(tested.signal, urls, options), testing]);
    const ids = [...paired, ...acknowledged.ids];
    const truth = await expectTruth(system, { acknowledged: ids, agents: [host] });
    if (truth.tasks !== ids.length || truth.completed !== ids.length) {
      throw new Error(`expected ${ids.length} tasks, all completed, got ${JSON.stringify(truth)}`);
    }
    return { acknowledged, truth };
  } finally {
    await host.close();
  }
}

/** Creates the tasks asked for, and more, some at a time, until the test is done. */
async function createWhile(
  tested: AbortSignal,
  urls: LoadOptions['urls'],
  { tasks = 0, perSecond }: WorkOptions,
): Promise<Acknowledged> {
  const all = { ids: [] as string[], repeated: 0, replayed: 0 };
  const create = async (count: number): Promise<void> => {
    const body = (index: number) => task(`Task ${all.ids.length + index}`);
    const { ids, repeated, replayed } = await createTasks({ urls, count, perSecond, body });
    all.ids.push(...ids);
    all.repeated += repeated;
    all.replayed += replayed;
  };
  await create(tasks);
  // However slow the machine: what happens must happen while requests are under way.
  while (!tested.aborted) await create(perSecond);
  return all;
}

const task = (title: string) => ({ title, type: 'work', requiredCapabilities: [{ name: 'work' }] });

function pair(index: number): readonly Body[] {
  const first = { ...task(`First of pair ${index}`), ref: `first-${index}`, input: { workMs: PAIR_WORK_MS } };
  const second = { ...task(`Second of pair ${index}`), ref: `second-${index}` };
  return [first, { ...second, dependencies: [{ ref: first.ref }] }];
}

function workOf(system: System, host: AgentHost, paired: readonly string[]): Work {
  const { query } = system;
  const count = async (status: string): Promise<number> => {
    const text = 'SELECT count(*)::int AS n FROM tasks WHERE status = $1';
    const [row] = await query<{ n: number }>(text, [status]);
    return row?.n ?? 0;
  };
  return {
    host,
    paired,
    count,
    untilCompleted: async (wanted) => {
      await until(async () => (await count('completed')) >= wanted, {
        timeoutMs: 30_000,
        describe: async () => `${wanted} tasks complete; ${await count('completed')} have`,
      });
    },
    untilInProgress: async () => {
      await until(async () => (await count('in_progress')) > 0);
    },
    untilStreamIsBack: () => until(() => readTaskStream(system)),
  };
}
