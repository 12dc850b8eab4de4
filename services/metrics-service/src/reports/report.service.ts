import {
  isTerminal,
  TASK_STATUSES,
  windowSeconds,
  type AgentMetrics,
  type AgentMetricsQuery,
  type AgentsMetrics,
  type DelegationMetrics,
  type DelegationMetricsQuery,
  type TaskMetrics,
  type TaskMetricsQuery,
  type TaskStatus,
} from '@baton/contracts';
import { bucketAt, levelFor } from '../rollups/levels.policy.js';
import { emptySketches, decodeInto, quantileOf } from '../rollups/sketch.js';
import { evennessOf, figuresOf, ratio, type Asked } from './figures.fold.js';
import type {
  AgentCapacity,
  DelegationSum,
  Filters,
  GroupSum,
  Reading,
  ReportStore,
  Span,
} from './report.store.js';

const MOST_GROUPS = 1_000;

/** Tells what happened to tasks, from the rollups. Each throws `UNAVAILABLE` when the database does not answer in time. */
export class ReportService {
  readonly #store: ReportStore;

  constructor(store: ReportStore) {
    this.#store = store;
  }

  tasks(query: TaskMetricsQuery): Promise<TaskMetrics> {
    return this.#store.read(async (reading) => {
      const { span, asked, told } = await spanOf(reading, query);
      const filters = filtersOf(query);
      const [sum] = await reading.groups(span, filters, []);
      const groups = query.groupBy.length === 0 ? [] : await reading.groups(span, filters, query.groupBy);
      const states = statesOf(await reading.states(filters));
      const oldest = await reading.oldest(filters);
      return {
        ...told,
        filters: filtersTold(query),
        states,
        oldestSeconds: oldest.states,
        backlog: { queued: states.queued, oldestSeconds: oldest.queued },
        ...figuresOf(sum, asked),
        recovery: await recoveryOf(reading, span, filters),
        groups: groups.slice(0, MOST_GROUPS).map((group) => ({
          ...groupTold(group),
          ...figuresOf(group, {
            ...asked,
            windowSeconds: query.groupBy.includes('time') ? span.level.seconds : asked.windowSeconds,
          }),
        })),
        groupsTotal: groups.length,
      };
    });
  }

  agents(query: AgentMetricsQuery): Promise<AgentsMetrics> {
    return this.#store.read(async (reading) => {
      const { span, asked, told } = await spanOf(reading, query);
      const agents = await agentsOf(reading, span, asked, filtersOf(query));
      const used = agents.filter(({ onlineSeconds }) => onlineSeconds > 0);
      return {
        ...told,
        agents: agents.slice(0, MOST_GROUPS),
        agentsTotal: agents.length,
        distribution: { agents: used.length, ...evennessOf(used.map(({ utilization }) => utilization ?? 0)) },
      };
    });
  }

  agent(agentId: string, query: AgentMetricsQuery): Promise<AgentMetrics> {
    return this.#store.read(async (reading) => {
      const { span, asked, told } = await spanOf(reading, query);
      const filters = { ...filtersOf(query), agent: agentId };
      const [own] = await agentsOf(reading, span, asked, filters);
      const types = await reading.groups(span, filters, ['type']);
      return {
        ...told,
        ...(own ?? agentFigures(agentId, undefined, undefined, [], span, asked)),
        recovery: await recoveryOf(reading, span, filters),
        types: types
          .slice(0, MOST_GROUPS)
          .map((group) => ({ type: group.type ?? '', ...figuresOf(group, asked) })),
      };
    });
  }

  delegations(query: DelegationMetricsQuery): Promise<DelegationMetrics> {
    return this.#store.read(async (reading) => {
      const { span, asked, told } = await spanOf(reading, query);
      const filters = filtersOf(query);
      const [edges, chains] = [
        await reading.delegations(span, filters, 'edge'),
        await reading.delegations(span, filters, 'chain'),
      ];
      const sum = (name: 'delegated' | 'completed' | 'ended') =>
        chains.reduce((all, chain) => all + chain[name], 0);
      return {
        ...told,
        filters: filtersTold(query),
        delegated: sum('delegated'),
        completed: sum('completed'),
        ended: sum('ended'),
        efficiency: ratio(sum('completed'), sum('ended')),
        edges: edges
          .slice(0, MOST_GROUPS)
          .map((edge) => ({ from: edge.from, to: edge.to, ...delegationOf(edge, asked) })),
        chains: chains
          .slice(0, MOST_GROUPS)
          .map((chain) => ({ chain: chain.chain.split('>'), ...delegationOf(chain, asked) })),
      };
    });
  }
}

type Told = { window: string; from: string | null; asOf: string; windowSeconds: number };

async function spanOf(
  reading: Reading,
  { window, percentiles }: { readonly window: string; readonly percentiles: readonly number[] },
): Promise<{ readonly span: Span; readonly asked: Asked; readonly told: Told }> {
  const now = await reading.now();
  const seconds = windowSeconds(window);
  const level = levelFor(seconds);
  const first = seconds === null ? await reading.first() : bucketAt(level, Math.floor(now - seconds));
  const length = first === null ? 0 : now - first;
  return {
    span: { level, from: first ?? now, now },
    asked: { windowSeconds: length, percentiles },
    told: { window, from: first === null ? null : isoOf(first), asOf: isoOf(now), windowSeconds: length },
  };
}

async function recoveryOf(reading: Reading, span: Span, filters: Filters): Promise<TaskMetrics['recovery']> {
  const rows = await reading.recoveries(span, filters);
  return {
    total: rows.reduce((sum, { count }) => sum + count, 0),
    reasons: Object.fromEntries(rows.map(({ reason, count }) => [reason, count])),
  };
}

type AgentRow = AgentsMetrics['agents'][number];
type HeldTasks = Awaited<ReturnType<Reading['states']>>;

async function agentsOf(
  reading: Reading,
  span: Span,
  asked: Asked,
  filters: Filters,
): Promise<readonly AgentRow[]> {
  const sums = new Map((await reading.groups(span, filters, ['agent'])).map((sum) => [sum.agent ?? '', sum]));
  const capacity = new Map((await reading.capacity(span, filters.agent)).map((row) => [row.agent, row]));
  const held = new Map<string, HeldTasks>();
  for (const row of await reading.states(filters)) held.set(row.agent, [...(held.get(row.agent) ?? []), row]);
  const heldNow = [...held].filter(([, rows]) =>
    rows.some(({ status }) => !isTerminal(status as TaskStatus)),
  );
  const names = new Set([...sums.keys(), ...capacity.keys(), ...heldNow.map(([agent]) => agent)]);
  names.delete('');
  const load = ({ ended, active, pending }: AgentRow) =>
    ended.completed + ended.failed + ended.cancelled + active + pending;
  return [...names]
    .map((name) => agentFigures(name, sums.get(name), capacity.get(name), held.get(name) ?? [], span, asked))
    .toSorted((a, b) => load(b) - load(a) || (a.agentId < b.agentId ? -1 : 1));
}

function agentFigures(
  agentId: string,
  sum: GroupSum | undefined,
  capacity: AgentCapacity | undefined,
  held: HeldTasks,
  { from, now }: Span,
  asked: Asked,
): AgentRow {
  const inState = (status: TaskStatus) => held.find((row) => row.status === status)?.tasks ?? 0;
  const active = inState('in_progress');
  // What ran before the window began, and then what began and ended in it.
  const before = active - (sum?.activeDelta ?? 0);
  const activeSeconds = before * (now - from) + (sum?.activeSeconds ?? 0);
  return {
    agentId,
    ...figuresOf(sum, asked),
    active,
    pending: inState('assigned'),
    maxConcurrent: capacity?.slots ?? 0,
    onlineSeconds: capacity?.onlineSeconds ?? 0,
    utilization: ratio(activeSeconds, capacity?.slotSeconds ?? 0),
  };
}

function delegationOf(sum: DelegationSum, { percentiles }: Asked) {
  const sketches = emptySketches();
  decodeInto(sketches, sum.sketches);
  return {
    delegated: sum.delegated,
    completed: sum.completed,
    ended: sum.ended,
    efficiency: ratio(sum.completed, sum.ended),
    duration: Object.fromEntries(
      percentiles.map((percent) => [`p${percent}`, quantileOf(sketches.duration, percent / 100)]),
    ),
  };
}

function statesOf(rows: HeldTasks): Record<TaskStatus, number> {
  const sum = (status: TaskStatus) =>
    rows.reduce((tasks, row) => tasks + (row.status === status ? row.tasks : 0), 0);
  return Object.fromEntries(TASK_STATUSES.map((status) => [status, sum(status)])) as Record<
    TaskStatus,
    number
  >;
}

function filtersOf({ agent, type, priority }: Filters): Filters {
  return { agent, type, priority };
}

function filtersTold({ agent, type, priority }: Filters): TaskMetrics['filters'] {
  return {
    agent: agent ?? null,
    type: type ?? null,
    priority: (priority ?? null) as TaskMetrics['filters']['priority'],
  };
}

function groupTold({ agent, type, priority, at }: GroupSum) {
  return {
    ...(agent === undefined ? {} : { agent: agent === '' ? null : agent }),
    ...(type === undefined ? {} : { type }),
    ...(priority === undefined ? {} : { priority }),
    ...(at === undefined ? {} : { at: isoOf(at) }),
  };
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
