import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measureFsyncMs } from '../measure/fsync.js';
import { percentiles } from '../measure/percentiles.js';
import { createProfiling } from '../profile/profiles.js';
import { checkoutDirectory, Interrupted, type Session } from '@baton/stack';
import { interruption } from '../interruption.js';
import { runClosedLoop, type ClosedLoop } from './closed-loop.js';
import { startAccounting, type Cost } from './measure.js';
import { runOpenLoop, type SendTimes } from './open-loop.js';
import type { LifecycleOptions } from './options.js';
import { startSystem, type System } from './system.js';
import { openTruth, type BatchSize, type Ending, type LifeParts, type Truth } from './truth.js';
import { within } from './within.js';

/** Everything the benchmark found out. */
export type LifecycleResult = {
  readonly closed: ClosedLoop & {
    readonly cost: Cost;
    readonly batches: readonly BatchSize[];
    readonly parts: LifeParts;
  };
  readonly open:
    | { readonly startMs: { readonly p50: number; readonly p99: number }; readonly parts: LifeParts }
    | undefined;
  readonly fsyncMs: number;
  readonly versions: Readonly<Record<'node' | 'postgres' | 'nats' | 'baton', string>>;
  /** What the profiles say, when they were taken. */
  readonly profile: string | undefined;
  /** Tasks that did not simply complete at their first attempt. */
  readonly irregular: readonly Ending[];
};

type Context = {
  readonly options: LifecycleOptions;
  readonly system: System;
  readonly truth: Truth;
  readonly say: (line: string) => void;
};

const warmUpTasks = 2_000;
// Far below what the slowest machine does; a run that is slower is stuck.
const slowestTasksPerSecond = 50;

/**
 * Starts the system, runs all phases and checks the tables; the session's end removes everything. Rejects when
 * interrupted, but lets a start under way come to its end: half of a system cannot be stopped in order.
 */
export async function runLifecycle(
  options: LifecycleOptions,
  session: Session,
  say: (line: string) => void,
): Promise<LifecycleResult> {
  say('Starting a stack of its own, the services and the agents');
  const system = await startSystem({ ...options, session, report: (line) => say(`  ${line}`) });
  const truth = await openTruth(system.postgresUrl);
  session.onEnd(() => truth.close());
  const context = { options, system, truth, say };
  const fsyncMs = await measureFsyncMs(system.directory);
  try {
    return await Promise.race([measure(context, fsyncMs), system.failure, interruption(session)]);
  } catch (error) {
    if (!(error instanceof Interrupted)) say(`\n${await system.lastLines()}\n`);
    throw error;
  }
}

async function measure(context: Context, fsyncMs: number): Promise<LifecycleResult> {
  const { options, truth, say } = context;
  await untilOnline(context);
  const since = await truth.now();
  const warmUp = Math.min(warmUpTasks, options.tasks);
  say(`Warm-up: ${warmUp} tasks`);
  await closedLoop(context, warmUp);
  await untilPublished(context);
  say(`Closed loop: ${options.tasks} tasks, ${options.inFlight} creates in flight`);
  const { profile, ...closed } = await measureClosedLoop(context);
  const open = options.rate === 0 ? undefined : await measureOpenLoop(context);
  const endings = await truth.endings(since);
  const versions = await readVersions(context);
  const irregular = endings.filter(({ status, attempt }) => status !== 'completed' || attempt !== 1);
  const expected = warmUp + options.tasks + options.rate * options.rateSeconds;
  const found = endings.reduce((sum, { tasks }) => sum + tasks, 0);
  if (found !== expected) {
    throw new Error(`${expected} creates were answered 201, but the tables hold ${found} tasks`);
  }
  return { closed, open, fsyncMs, versions, profile, irregular };
}

async function measureClosedLoop(context: Context) {
  const { options, system, truth } = context;
  const profiling =
    options.profile === undefined
      ? undefined
      : createProfiling({
          directory: options.profile,
          processes: system.processes().filter(({ pid }) => pid !== process.pid),
          postgresUrl: system.postgresUrl,
        });
  const since = await truth.now();
  await profiling?.start();
  const stopAccounting = await startAccounting(system, truth);
  const loop = await closedLoop(context, options.tasks);
  // What the last tasks still cause belongs to them.
  await untilPublished(context);
  const cost = await stopAccounting(options.tasks);
  const profile = await profiling?.stop(options.tasks, cost.cpu);
  return {
    ...loop,
    cost,
    batches: await truth.batchSizes(since),
    parts: await truth.lifeParts(since),
    profile,
  };
}

/**
 * From the moment before the create is written to the socket to the moment the agent's handler is called, which is
 * after task-service accepted the start: both taken from the clock that all processes of a machine share.
 */
async function measureOpenLoop(context: Context): Promise<NonNullable<LifecycleResult['open']>> {
  const { options, system, truth, say } = context;
  const { rate, rateSeconds } = options;
  say(`Open loop: ${rate} creates per second for ${rateSeconds} s`);
  const since = await truth.now();
  const loop = async (): Promise<SendTimes> => {
    const sent = await runOpenLoop({ tasksUrl: system.tasksUrl, rate, seconds: rateSeconds });
    await untilNot(() => truth.hasUnfinished());
    return sent;
  };
  const sendTimes = await within(limitFor(context, 'The open loop', rate * rateSeconds), loop());
  const startTimes = await truth.startTimes(since);
  const waits = [...sendTimes].map(([id, sentMs]) => (startTimes.get(id) ?? Number.NaN) - sentMs);
  if (waits.some(Number.isNaN)) throw new Error('Expected every timed task to tell its start; some do not');
  return { startMs: percentiles(waits, { p50: 0.5, p99: 0.99 }), parts: await truth.lifeParts(since) };
}

function closedLoop(context: Context, tasks: number): Promise<ClosedLoop> {
  const { options, system, truth } = context;
  const loop = { tasksUrl: system.tasksUrl, tasks, inFlight: options.inFlight };
  return within(
    limitFor(context, 'The closed loop', tasks),
    runClosedLoop({ ...loop, hasUnfinished: () => truth.hasUnfinished() }),
  );
}

function limitFor({ truth }: Context, what: string, tasks: number) {
  const seconds = 60 + Math.ceil(tasks / slowestTasksPerSecond);
  return {
    what,
    seconds,
    explain: async () => {
      const list = (await truth.endings(new Date(0))).map(
        ({ status, attempt, tasks: count }) => `${count} ${status} (attempt ${attempt})`,
      );
      return `Tasks: ${list.join(', ') || 'none'}.`;
    },
  };
}

function untilOnline({ options, truth }: Context): Promise<void> {
  const explain = async () => `Online are ${await truth.onlineAgents()} of ${options.agents} agents.`;
  return within(
    { what: 'The start of the agents', seconds: 60, explain },
    untilNot(async () => (await truth.onlineAgents()) < options.agents),
  );
}

function untilPublished({ truth }: Context): Promise<void> {
  const explain = async () => 'Committed events wait in the outbox.';
  return within(
    { what: 'Publishing the events', seconds: 60, explain },
    untilNot(() => truth.hasUnpublished()),
  );
}

async function untilNot(condition: () => Promise<boolean>): Promise<void> {
  while (await condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function readVersions({ system, truth }: Context): Promise<LifecycleResult['versions']> {
  const text = await readFile(join(checkoutDirectory, 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return {
    node: process.versions.node,
    postgres: await truth.version(),
    nats: system.natsVersion,
    baton: version,
  };
}
