import { describe, expect, it } from '@jest/globals';
import { compareWithRow, replay, type HistoryEvent } from './history.js';

/** A task that was lost in progress once and then completed: the events a true history has. */
const TRUE_HISTORY: readonly HistoryEvent[] = [
  event('task.created', 'user:local', 'created', 0, { status: 'queued', retryCount: 0 }),
  event('task.assigned', 'service:distribution', null, 1, { status: 'assigned', assignedTo: 'ada' }),
  event('task.started', 'agent:ada', null, 1, { status: 'in_progress', holderEpoch: 1 }),
  event('task.queued', 'system:presence', 'expired', 1, { status: 'queued', assignedTo: null, lostCount: 1 }),
  event('task.assigned', 'service:distribution', null, 2, { status: 'assigned', assignedTo: 'bob' }),
  event('task.started', 'agent:bob', null, 2, { status: 'in_progress', holderEpoch: 4 }),
  event('task.completed', 'agent:bob', null, 2, { status: 'completed', assignedTo: null }),
].map((one, index) => ({ ...one, version: index + 1, at: 100 * (index + 1) }));

const TRUE_ROW = {
  status: 'completed',
  statusReason: null,
  version: 7,
  attempt: 2,
  retryCount: 0,
  lostCount: 1,
  handoverCount: 0,
  assignedTo: null,
  lastAgentId: 'bob',
  holderEpoch: 4,
  createdAt: 100,
  updatedAt: 700,
  firstQueuedAt: 100,
  queuedAt: 400,
  assignedAt: 500,
  startedAt: 600,
  completedAt: 700,
};

describe('a history', () => {
  it('that is true has no problems, leads to its row, and says who held the task when', () => {
    const replayed = replay(TRUE_HISTORY);
    expect(replayed.problems).toEqual([]);
    expect(compareWithRow(replayed, TRUE_ROW)).toEqual([]);
    expect(replayed.holds).toEqual([
      { agentId: 'ada', from: 200, to: 400 },
      { agentId: 'bob', from: 500, to: 700 },
    ]);
  });

  it.each([
    ['a version left out', without(3), 'expected version 4, got 5'],
    ['a version twice', [...TRUE_HISTORY.slice(0, 3), ...TRUE_HISTORY.slice(2)], 'expected version 4, got 3'],
    ['two ends', [...TRUE_HISTORY, { ...at(6), version: 8 }], 'ended 2 times'],
    ['life after the end', [...TRUE_HISTORY, { ...at(3), version: 8 }], 'is no way from completed'],
    [
      'a second holder',
      withChange(3, { type: 'task.assigned', attempt: 2 }),
      'is no way from in_progress of ada',
    ],
    ['an end by another agent', withChange(6, { actor: 'agent:ada' }), 'is no way from in_progress of bob'],
    ['a start by another agent', withChange(2, { actor: 'agent:bob' }), 'is no way from assigned of ada'],
    ['an assignment by an agent', withChange(1, { actor: 'agent:ada' }), 'is no way from queued'],
    ['a completion without a start', without(5), 'is no way from assigned of bob to completed'],
    [
      'an unknown reason',
      withChange(3, { reason: 'whim' }),
      'task.queued (whim) by system:presence is no way',
    ],
    ['an unknown event', withChange(3, { type: 'task.painted' }), 'is no way from in_progress'],
    [
      'an attempt that does not rise',
      withChange(4, { attempt: 1 }),
      'task.assigned: expected attempt 2, got 1',
    ],
    [
      'an attempt that rises by itself',
      withChange(5, { attempt: 3 }),
      'task.started: expected attempt 2, got 3',
    ],
    [
      'time that runs backwards',
      withChange(4, { at: 399 }),
      'task.assigned is older than what came before it',
    ],
    ['an assignment to nobody', withChange(4, { changes: {} }), 'task.assigned names no agent'],
    ['a start in no epoch', withChange(5, { changes: {} }), 'task.started names no epoch'],
  ])('with %s is told apart', (_what, history, problem) => {
    expect(replay(history).problems.join('\n')).toContain(problem);
  });

  it.each(Object.keys(TRUE_ROW))('whose row differs in %s is told apart', (field) => {
    const problems = compareWithRow(replay(TRUE_HISTORY), { ...TRUE_ROW, [field]: 'forged' });
    expect(problems[0]).toContain(`its events make ${field}`);
  });

  it('that says another change than its row has is told apart', () => {
    const forged = withChange(0, { changes: { status: 'queued', priority: 1 } });
    expect(compareWithRow(replay(forged), { ...TRUE_ROW, priority: 3 })).toEqual([
      'its events say priority 1, its row 3',
    ]);
  });
});

function event(
  type: string,
  actor: string,
  reason: string | null,
  attempt: number,
  changes: HistoryEvent['changes'],
): HistoryEvent {
  return { type, actor, reason, attempt, changes: { statusReason: reason, ...changes }, version: 0, at: 0 };
}

function at(index: number): HistoryEvent {
  const found = TRUE_HISTORY[index];
  if (found === undefined) throw new Error(`no event ${index}`);
  return found;
}

function without(index: number): readonly HistoryEvent[] {
  return TRUE_HISTORY.toSpliced(index, 1);
}

function withChange(index: number, change: Partial<HistoryEvent>): readonly HistoryEvent[] {
  return TRUE_HISTORY.with(index, { ...at(index), ...change });
}
