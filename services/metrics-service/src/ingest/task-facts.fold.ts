import { isTerminal, type TaskEvent } from '@baton/contracts';
import { bucketAt, LEVELS, type Level } from '../rollups/levels.policy.js';
import { Gathered, gatherFigures, type Counter, type Figures, type Group } from '../rollups/rollup.fold.js';
import { stateOf } from './task-state.fold.js';
import { addValue, emptySketches, type Measure, type Sketches } from '../rollups/sketch.js';

/** Hand-overs along one edge (`chain` empty) or one chain (`from` and `to` empty), of tasks of a type and priority. */
export type DelegationGroup = {
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly chain: string;
  readonly type: string;
  readonly priority: number;
};
export type DelegationFigures = {
  delegated: number;
  completed: number;
  ended: number;
  readonly sketches: Sketches;
};

/** Work that was taken from an agent or given back, and why. */
export type RecoveryGroup = Group & { readonly reason: string };

/** What events add to the figures: each by itself, whatever came before it. */
export type Facts = {
  readonly figures: Gathered<Group, Figures>;
  readonly delegations: Gathered<DelegationGroup, DelegationFigures>;
  readonly recoveries: Gathered<RecoveryGroup, { count: number }>;
};

export function noFacts(): Facts {
  return {
    figures: gatherFigures(),
    delegations: new Gathered(
      ({ at, from, to, chain, type, priority }) => `${at} ${from} ${to} ${chain} ${type} ${priority}`,
      () => ({ delegated: 0, completed: 0, ended: 0, sketches: emptySketches() }),
    ),
    recoveries: new Gathered(
      ({ at, agent, type, priority, reason }) => `${at} ${agent} ${type} ${priority} ${reason}`,
      () => ({ count: 0 }),
    ),
  };
}

const FINEST = LEVELS[0] as Level;

/** Adds one event that was not counted before. */
export function addFacts(facts: Facts, event: TaskEvent): void {
  const { data, type } = event;
  const time = Date.parse(event.time);
  const at = bucketAt(FINEST, Math.floor(time / 1_000));
  const groupOf = (agent: string): Group => ({ at, agent, type: data.type, priority: data.priority });
  const count = (name: Counter, agent = '', by = 1): void => {
    facts.figures.of(groupOf(agent)).counts[name] += by;
  };
  const active = (agent: string, delta: 1 | -1): void => {
    count('active_delta', agent, delta);
    count('active_at_us', agent, delta * (time - at * 1_000) * 1_000);
  };
  const holder = data.agent ?? '';

  if (type === 'task.created') count('created');
  if (data.status === 'queued' && (type === 'task.created' || type === 'task.queued')) count('queued');
  if (data.status === 'assigned' && (type === 'task.assigned' || type === 'task.delegated'))
    count('assigned', holder);
  if (type === 'task.started') {
    count('started', holder);
    active(holder, 1);
  }
  if (type === 'task.blocked') count('blocked', data.left?.agent);
  if (data.left?.startedAt) active(data.left.agent, -1);
  if (data.left && type === 'task.queued') {
    facts.recoveries.of({ ...groupOf(data.left.agent), reason: reasonOf(event) }).count += 1;
  }
  if (type === 'task.delegated') {
    count('delegated', data.delegationChain?.at(-1));
    addDelegation(facts, event, at);
  }
  if (isEnd(event)) addEnd(facts, event, at);
}

function isEnd({ type }: TaskEvent): boolean {
  return type === 'task.completed' || type === 'task.failed' || type === 'task.cancelled';
}

function addEnd(facts: Facts, event: TaskEvent, at: number): void {
  const { data } = event;
  if (!isTerminal(data.status)) return;
  const { counts, sketches } = facts.figures.of({
    at,
    agent: stateOf(event).agent,
    type: data.type,
    priority: data.priority,
  });
  counts[data.status] += 1;
  const isDelegated = (data.delegationChain?.length ?? 0) > 0;
  if (isDelegated) counts.delegated_ended += 1;
  if (data.status === 'completed') {
    if (isDelegated) counts.delegated_completed += 1;
    for (const [measure, name, seconds] of timesOf(event)) {
      counts[name] += Math.round(seconds * 1e6);
      addValue(sketches[measure], seconds);
    }
  }
  if (isDelegated) addDelegatedEnd(facts, event, at);
}

/** Seconds that a completed task took. */
function timesOf({ data, time }: TaskEvent): readonly (readonly [Measure, Counter, number])[] {
  const end = data.completedAt ?? time;
  const times = [
    ['duration', 'duration_us', data.assignedAt, end],
    ['run', 'run_us', data.startedAt, end],
    ['wait', 'wait_us', data.firstQueuedAt, data.assignedAt],
    ['endToEnd', 'end_to_end_us', data.createdAt, end],
  ] as const;
  return times.flatMap(([measure, name, since, until]) =>
    since === null || until === null
      ? []
      : [[measure, name, Math.max(0, Date.parse(until) - Date.parse(since)) / 1_000] as const],
  );
}

function reasonOf({ data }: TaskEvent): string {
  return data.reason === 'retry' && data.errorCode !== null
    ? `retry:${data.errorCode}`
    : (data.reason ?? 'unknown');
}

function addDelegation(facts: Facts, { data }: TaskEvent, at: number): void {
  const to = data.needs?.pinnedTo ?? data.agent ?? '';
  for (const group of delegationsTo(data, to, at)) facts.delegations.of(group).delegated += 1;
}

function addDelegatedEnd(facts: Facts, event: TaskEvent, at: number): void {
  const { data } = event;
  const duration = timesOf(event).find(([measure]) => measure === 'duration')?.[2];
  for (const group of delegationsTo(data, data.agent ?? '', at)) {
    const figures = facts.delegations.of(group);
    figures.ended += 1;
    if (data.status !== 'completed') continue;
    figures.completed += 1;
    if (duration !== undefined) addValue(figures.sketches.duration, duration);
  }
}

/** The last edge a task went along, and the whole chain. */
function delegationsTo(data: TaskEvent['data'], to: string, at: number): readonly DelegationGroup[] {
  const chain = data.delegationChain ?? [];
  const from = chain.at(-1);
  if (from === undefined) return [];
  const { type, priority } = data;
  // What went back to its delegator ended with nobody it was handed to.
  const edge = to === from ? [] : [{ at, from, to, chain: '', type, priority }];
  return [...edge, { at, from: '', to: '', chain: [...chain, to].join('>'), type, priority }];
}
