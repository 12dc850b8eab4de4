import { isLegal, TERMINAL, type Status } from './moves.js';

/** Fields of a task by the names its history uses. Times are milliseconds of the epoch. */
export type Fields = Readonly<Record<string, unknown>>;

/** One row of `task_events`. */
export type HistoryEvent = {
  readonly version: number;
  readonly type: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly attempt: number;
  readonly at: number;
  /** What the services say that the event changed. */
  readonly changes: Fields;
};

/** What followed from the history of a task: the state it must be in now, and who held it when. */
export type Replayed = {
  /** Derived from the kinds, reasons and times of the events, whatever they say that they changed. */
  readonly derived: Fields;
  /** What the events say that they changed, one over the other. */
  readonly folded: Fields;
  readonly holds: readonly Hold[];
};

/** A stretch of time in which a task counted against an agent's capacity; without `to` it still does. */
export type Hold = { readonly agentId: string; readonly from: number; readonly to?: number };

/** Goes through a history from nothing and tells what in it cannot be. */
export function replay(events: readonly HistoryEvent[]): Replayed & { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const holds: Hold[] = [];
  let state: State | undefined;
  let folded: Fields = {};
  let reopenings = 0;
  events.forEach((event, index) => {
    if (event.version !== index + 1) problems.push(`expected version ${index + 1}, got ${event.version}`);
    problems.push(...judge(state, event));
    const before = state;
    state = apply(state, event);
    if (before !== undefined && isReopened(before, state.status)) reopenings += 1;
    folded = { ...folded, ...event.changes, version: event.version, updatedAt: event.at };
    const last = holds.at(-1);
    if (last !== undefined && before?.assignedTo && before.assignedTo !== state.assignedTo)
      holds[holds.length - 1] = { ...last, to: event.at };
    if (begins(event) && state.assignedTo !== null) {
      holds.push({ agentId: state.assignedTo, from: event.at });
    }
  });
  const ends = events.filter(({ type }) => TERMINAL.includes(type.replace('task.', ''))).length;
  if (ends > 1 + reopenings) problems.push(`ended ${ends} times`);
  return { derived: { ...state }, folded, holds, problems };
}

/** What the events lead to and the row does not say, field by field. */
export function compareWithRow({ derived, folded }: Replayed, row: Fields): readonly string[] {
  return [...differences('its events make', derived, row), ...differences('its events say', folded, row)];
}

type State = {
  readonly status: Status;
  readonly statusReason: string | null;
  readonly version: number;
  readonly attempt: number;
  readonly retryCount: number;
  readonly lostCount: number;
  readonly handoverCount: number;
  readonly assignedTo: string | null;
  readonly lastAgentId: string | null;
  readonly holderEpoch: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly firstQueuedAt: number | null;
  readonly queuedAt: number | null;
  readonly assignedAt: number | null;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
};

function judge(before: State | undefined, event: HistoryEvent): readonly string[] {
  const problems: string[] = [];
  const { type, actor, reason, attempt, at, changes } = event;
  const from = before?.status ?? 'nothing';
  const holder = before?.assignedTo ?? null;
  const to = statusAfter(before, event);
  if (!isLegal({ from, event: type, to, actor, reason, holder })) {
    const why = reason === null ? '' : ` (${reason})`;
    problems.push(
      `${type}${why} by ${actor} is no way from ${from}${holder === null ? '' : ` of ${holder}`} to ${to}`,
    );
  }
  const expected = (before?.attempt ?? 0) + (begins(event) ? 1 : 0);
  if (attempt !== expected) problems.push(`${type}: expected attempt ${expected}, got ${attempt}`);
  if (before !== undefined && at < before.updatedAt)
    problems.push(`${type} is older than what came before it`);
  if (type === 'task.assigned' && typeof changes['assignedTo'] !== 'string')
    problems.push(`${type} names no agent`);
  if (type === 'task.started' && typeof changes['holderEpoch'] !== 'number')
    problems.push(`${type} names no epoch`);
  return problems;
}

/** Whether an agent has the task from here on that did not have it before. */
function begins({ type, changes }: HistoryEvent): boolean {
  return type === 'task.assigned' || (type === 'task.delegated' && changes['status'] === 'assigned');
}

/** Only a creation and a hand-over say by itself whether the task is queued or waits. */
function statusAfter(before: State | undefined, { type, changes }: HistoryEvent): Status {
  if (before === undefined) return changes['status'] as Status;
  if (type === 'task.started') return 'in_progress';
  if (type === 'task.delegated') return changes['status'] as Status;
  if (type === 'task.updated') return before.status;
  return type.replace('task.', '') as Status;
}

function apply(earlier: State | undefined, event: HistoryEvent): State {
  const { version, type, reason, at, changes } = event;
  const status = statusAfter(earlier, event);
  const before = earlier && isReopened(earlier, status) ? anew(earlier, at) : earlier;
  const state: State = { ...(before ?? created(at)), version, status, statusReason: reason, updatedAt: at };
  if (type === 'task.updated') return state;
  if (status === 'queued') {
    const isLost = before?.status === 'in_progress' && (reason === 'expired' || reason === 'forgotten');
    return {
      ...released(state),
      assignedAt: null,
      startedAt: null,
      queuedAt: at,
      firstQueuedAt: state.firstQueuedAt ?? at,
      retryCount: state.retryCount + (reason === 'retry' ? 1 : 0),
      lostCount: state.lostCount + (isLost ? 1 : 0),
    };
  }
  if (status === 'blocked') return { ...released(state), assignedAt: null, startedAt: null };
  if (begins(event)) {
    const agentId = String(changes['assignedTo']);
    return {
      ...state,
      assignedTo: agentId,
      lastAgentId: agentId,
      holderEpoch: null,
      attempt: state.attempt + 1,
      handoverCount: state.handoverCount + 1,
      assignedAt: at,
      startedAt: null,
    };
  }
  if (type === 'task.started') {
    return { ...state, holderEpoch: Number(changes['holderEpoch']), handoverCount: 0, startedAt: at };
  }
  if (!TERMINAL.includes(status)) return state;
  return {
    ...released(state),
    completedAt: at,
    lostCount: state.lostCount + (reason === 'agent_lost' ? 1 : 0),
  };
}

function created(at: number): State {
  return {
    status: 'created',
    statusReason: null,
    version: 0,
    attempt: 0,
    retryCount: 0,
    lostCount: 0,
    handoverCount: 0,
    assignedTo: null,
    lastAgentId: null,
    holderEpoch: null,
    createdAt: at,
    updatedAt: at,
    firstQueuedAt: null,
    queuedAt: null,
    assignedAt: null,
    startedAt: null,
    completedAt: null,
  };
}

function isReopened(before: State, status: Status): boolean {
  return TERMINAL.includes(before.status) && !TERMINAL.includes(status);
}

/** What ended and begins anew: only its attempts count on. */
function anew(state: State, at: number): State {
  const { attempt, lastAgentId, holderEpoch, createdAt } = state;
  return { ...created(at), attempt, lastAgentId, holderEpoch, createdAt, queuedAt: at };
}

function released(state: State): State {
  return { ...state, assignedTo: null };
}

/** A field the row does not have is none that can be compared. */
function differences(what: string, expected: Fields, row: Fields): readonly string[] {
  return Object.entries(expected).flatMap(([field, value]) => {
    const actual = row[field];
    if (!(field in row) || JSON.stringify(actual) === JSON.stringify(value)) return [];
    return [`${what} ${field} ${JSON.stringify(value)}, its row ${JSON.stringify(actual)}`];
  });
}
