import { checkoutDirectory, Interrupted, type Session } from '@baton/stack';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { interruption } from '../interruption.js';
import { runClosedLoop } from '../lifecycle/closed-loop.js';
import { startAccounting } from '../lifecycle/measure.js';
import { startSystem, type System } from '../lifecycle/system.js';
import { openTruth, type Truth } from '../lifecycle/truth.js';
import { sampleCpu } from '../measure/cpu.js';
import { measureFsyncMs } from '../measure/fsync.js';
import { fillBacklog, fillHistory } from './fill.js';
import { measureLists, type MeasuredList } from './lists.js';
import type { HistoryOptions } from './options.js';

/** What tasks cost that go through the whole system. */
export type Lifecycles = {
  readonly perSecond: number;
  /** CPU of all processes in microseconds; undefined where the system does not tell. */
  readonly cpuMicroseconds: number | undefined;
};

/** Everything the benchmark found out. */
export type HistoryResult = {
  readonly lists: readonly MeasuredList[];
  readonly lifecycles: { readonly before: Lifecycles; readonly after: Lifecycles } | undefined;
  readonly fsyncMs: number;
  readonly versions: Readonly<Record<'node' | 'postgres' | 'nats' | 'baton', string>>;
};

const fleet = { agents: 20, slots: 50, inFlight: 64 } as const;
const warmUpTasks = 1_000;

/** Starts the system, fills its tables and reads its lists; the session's end removes everything. */
export async function runHistory(
  options: HistoryOptions,
  session: Session,
  say: (line: string) => void,
): Promise<HistoryResult> {
  say('Starting a stack of its own, the services and the agents');
  const report = (line: string) => say(`  ${line}`);
  const system = await startSystem({ ...fleet, profile: undefined, session, report });
  const truth = await openTruth(system.postgresUrl);
  session.onEnd(() => truth.close());
  try {
    return await Promise.race([measure(options, system, truth, say), system.failure, interruption(session)]);
  } catch (error) {
    if (!(error instanceof Interrupted)) say(`\n${await system.lastLines()}\n`);
    throw error;
  }
}

async function measure(
  options: HistoryOptions,
  system: System,
  truth: Truth,
  say: (line: string) => void,
): Promise<HistoryResult> {
  const { tasks, backlog, pages, lifecycles } = options;
  const isCompared = lifecycles > 0;
  await untilNot(async () => (await truth.onlineAgents()) < fleet.agents);
  if (isCompared) say(`Closed loop with empty tables: ${lifecycles} tasks`);
  const before = isCompared ? await runLifecycles(lifecycles, system, truth) : undefined;
  say(`Filling the tables: ${tasks} tasks`);
  const parent = await fillHistory(system.postgresUrl, tasks, say);
  if (isCompared) say(`Closed loop with full tables: ${lifecycles} tasks`);
  const after = isCompared ? await runLifecycles(lifecycles, system, truth) : undefined;
  say(`Filling the backlog: ${backlog} tasks`);
  await fillBacklog(system.postgresUrl, backlog);
  say(`Lists: ${pages} pages of each`);
  const usedMs = async () => {
    const sample = await sampleCpu(system.processes());
    return sample && (sample.get('task-service') ?? 0) + (sample.get('postgres') ?? 0);
  };
  const lists = await measureLists({ tasksUrl: system.tasksUrl, parent, pages, usedMs });
  const text = await readFile(join(checkoutDirectory, 'package.json'), 'utf8');
  return {
    lists,
    lifecycles: before && after && { before, after },
    fsyncMs: await measureFsyncMs(system.directory),
    versions: {
      node: process.versions.node,
      postgres: await truth.version(),
      nats: system.natsVersion,
      baton: (JSON.parse(text) as { version: string }).version,
    },
  };
}

async function runLifecycles(tasks: number, system: System, truth: Truth): Promise<Lifecycles> {
  const loop = {
    tasksUrl: system.tasksUrl,
    inFlight: fleet.inFlight,
    hasUnfinished: () => truth.hasUnfinished(),
  };
  await runClosedLoop({ ...loop, tasks: warmUpTasks });
  await untilNot(() => truth.hasUnpublished());
  const stopAccounting = await startAccounting(system, truth);
  const { endToEndMs } = await runClosedLoop({ ...loop, tasks });
  await untilNot(() => truth.hasUnpublished());
  const { cpu } = await stopAccounting(tasks);
  return {
    perSecond: (tasks * 1_000) / endToEndMs,
    cpuMicroseconds: cpu && [...cpu.values()].reduce((sum, microseconds) => sum + microseconds, 0),
  };
}

async function untilNot(condition: () => Promise<boolean>): Promise<void> {
  while (await condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
