import { TASK_STATUSES } from '@baton/contracts';
import type { TaskStatus, TerminalStatus } from '@baton/contracts';
import type { ReportQuery, Window } from './report.query.js';

/** Tasks of one status and agent; the sums of time are those of completed tasks, in microseconds. */
export type Group = {
  readonly status: string;
  /** Empty for tasks without an agent. */
  readonly agent: string;
  readonly tasks: number;
  readonly retries: number;
  readonly losses: number;
  readonly durationUs: number;
  readonly runUs: number;
  readonly waitUs: number;
  readonly endToEndUs: number;
};

/** Seconds; null where nothing was completed. */
export type Percentiles = {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
};
export type Distribution = { readonly mean: number | null } & Percentiles;
export type Measure = 'duration' | 'run' | 'wait' | 'endToEnd';

/** What was read, all in one snapshot. */
export type Figures = {
  /** Every task by its present state. */
  readonly present: readonly Group[];
  /** The tasks that ended in the window. */
  readonly ended: readonly Group[];
  readonly percentiles: Readonly<Record<Measure, Percentiles>>;
  /** How many completed tasks the percentiles are of: the latest of the window. */
  readonly percentilesOf: number;
  readonly oldestQueuedSeconds: number | null;
  readonly windowSeconds: number;
  readonly asOf: string;
};

/** What `GET /v1/metrics/tasks` answers. Times are seconds, rates 0..1; null where there is nothing to divide by. */
export type TaskReport = Readonly<Record<Measure, Distribution>> & {
  readonly window: Window;
  readonly windowSeconds: number;
  readonly asOf: string;
  readonly filters: {
    readonly agent: string | null;
    readonly type: string | null;
    readonly priority: number | null;
  };
  /** Tasks by their present state, whatever the window. */
  readonly states: Readonly<Record<TaskStatus, number>>;
  readonly backlog: { readonly queued: number; readonly oldestSeconds: number | null };
  readonly ended: Ends;
  readonly completionRate: number | null;
  readonly failureRate: number | null;
  readonly percentilesOf: number;
  readonly throughputPerHour: number | null;
  /** Of the tasks that ended: attempts that failed and were tried again, and holders lost. */
  readonly recovery: { readonly retries: number; readonly losses: number };
  /** The busiest agents, those with most ended and held tasks first. */
  readonly agents: readonly AgentReport[];
  /** How many agents there are figures of; more than `agents` has when the list was cut. */
  readonly agentsTotal: number;
};

type Ends = Readonly<Record<TerminalStatus, number>>;

export type AgentReport = Ends & {
  readonly agentId: string;
  /** Tasks assigned to it or in progress now. */
  readonly held: number;
  readonly meanDuration: number | null;
  readonly throughputPerHour: number | null;
};

const MAX_AGENTS = 1_000;

/** The report the figures give, by the formulas of the domain's table of metrics. */
export function foldReport(query: ReportQuery, figures: Figures): TaskReport {
  const { present, ended, percentiles, windowSeconds } = figures;
  const all = sumOf(ended);
  const endedTasks = all.completed + all.failed + all.cancelled;
  const mean = (microseconds: number) => ratio(microseconds / 1e6, all.completed);
  const states = statesOf(present);
  const agents = agentsOf(figures);
  return {
    window: query.window,
    windowSeconds,
    asOf: figures.asOf,
    filters: { agent: query.agent ?? null, type: query.type ?? null, priority: query.priority ?? null },
    states,
    backlog: { queued: states.queued, oldestSeconds: figures.oldestQueuedSeconds },
    ended: endsOf(all),
    completionRate: ratio(all.completed, endedTasks),
    failureRate: ratio(all.failed, endedTasks),
    duration: { mean: mean(all.durationUs), ...percentiles.duration },
    run: { mean: mean(all.runUs), ...percentiles.run },
    wait: { mean: mean(all.waitUs), ...percentiles.wait },
    endToEnd: { mean: mean(all.endToEndUs), ...percentiles.endToEnd },
    percentilesOf: figures.percentilesOf,
    throughputPerHour: ratio(all.completed * 3_600, windowSeconds),
    recovery: { retries: all.retries, losses: all.losses },
    agents: agents.slice(0, MAX_AGENTS),
    agentsTotal: agents.length,
  };
}

type Sum = Ends & Omit<Group, 'status' | 'agent'>;

const NOTHING: Sum = {
  completed: 0,
  failed: 0,
  cancelled: 0,
  tasks: 0,
  retries: 0,
  losses: 0,
  durationUs: 0,
  runUs: 0,
  waitUs: 0,
  endToEndUs: 0,
};

function sumOf(groups: readonly Group[]): Sum {
  return groups.reduce(add, NOTHING);
}

function add(sum: Sum, group: Group): Sum {
  const tasksOf = (status: TerminalStatus) => sum[status] + (group.status === status ? group.tasks : 0);
  return {
    completed: tasksOf('completed'),
    failed: tasksOf('failed'),
    cancelled: tasksOf('cancelled'),
    tasks: sum.tasks + group.tasks,
    retries: sum.retries + group.retries,
    losses: sum.losses + group.losses,
    durationUs: sum.durationUs + group.durationUs,
    runUs: sum.runUs + group.runUs,
    waitUs: sum.waitUs + group.waitUs,
    endToEndUs: sum.endToEndUs + group.endToEndUs,
  };
}

function agentsOf({ present, ended, windowSeconds }: Figures): readonly AgentReport[] {
  const held = sumByAgent(
    present.filter((group) => group.status === 'assigned' || group.status === 'in_progress'),
  );
  const ends = sumByAgent(ended);
  const names = new Set([...held.keys(), ...ends.keys()]);
  names.delete('');
  return [...names]
    .map((agentId) => {
      const own = ends.get(agentId) ?? NOTHING;
      return {
        agentId,
        ...endsOf(own),
        held: held.get(agentId)?.tasks ?? 0,
        meanDuration: ratio(own.durationUs / 1e6, own.completed),
        throughputPerHour: ratio(own.completed * 3_600, windowSeconds),
      };
    })
    .filter((agent) => load(agent) > 0)
    .toSorted((a, b) => load(b) - load(a) || (a.agentId < b.agentId ? -1 : 1));
}

function load(agent: AgentReport): number {
  return agent.completed + agent.failed + agent.cancelled + agent.held;
}

function sumByAgent(groups: readonly Group[]): ReadonlyMap<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const group of groups) sums.set(group.agent, add(sums.get(group.agent) ?? NOTHING, group));
  return sums;
}

function endsOf({ completed, failed, cancelled }: Ends): Ends {
  return { completed, failed, cancelled };
}

function statesOf(groups: readonly Group[]): Readonly<Record<TaskStatus, number>> {
  const tasks = new Map<string, number>();
  for (const group of groups) tasks.set(group.status, (tasks.get(group.status) ?? 0) + group.tasks);
  const entries = TASK_STATUSES.map((status) => [status, tasks.get(status) ?? 0]);
  return Object.fromEntries(entries) as Readonly<Record<TaskStatus, number>>;
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
