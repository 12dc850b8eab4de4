import { describe, expect, it } from '@jest/globals';
import type { Changes } from '../tasks/task.fold.js';
import { createLife, type Span } from './life.fold.js';

/** Follows events a second apart: what happened, and what it changed. */
function lifeOf(...steps: readonly (readonly [type: string, changes: Changes, reason?: string])[]) {
  const life = createLife();
  for (const [index, [type, changes, reason = null]] of steps.entries())
    life.follow({ version: index + 1, type: `task.${type}`, at: index * 1_000, reason, changes });
  return life.spans;
}

const shape = ({ id, startedAt, endedAt, outcome }: Span) => [
  id,
  startedAt / 1_000,
  endedAt && endedAt / 1_000,
  outcome,
];

const created = ['created', { status: 'queued', attempt: 0, assignedTo: null, statusReason: null }] as const;
const assigned = (agent: string, attempt: number) =>
  ['assigned', { status: 'assigned', assignedTo: agent, attempt, statusReason: null }] as const;
const started = ['started', { status: 'in_progress' }] as const;
const queued = (reason: string) =>
  ['queued', { status: 'queued', assignedTo: null, statusReason: reason }, reason] as const;
const completed = ['completed', { status: 'completed', assignedTo: null }] as const;

describe('the life of a task', () => {
  it('is a wait, an attempt with its work, and all of it', () => {
    expect(lifeOf(created, assigned('ada', 1), started, completed).map(shape)).toEqual([
      ['task', 0, 3, 'completed'],
      ['wait-1', 0, 1, 'assigned'],
      ['attempt-2', 1, 3, 'completed'],
      ['work-3', 2, 3, 'completed'],
    ]);
  });

  it('goes on while nothing ended it', () => {
    const spans = lifeOf(created, assigned('ada', 1), started);
    expect(spans.filter(({ endedAt }) => endedAt === null).map(({ id }) => id)).toEqual([
      'task',
      'attempt-2',
      'work-3',
    ]);
    expect(spans.at(-1)).toMatchObject({ parentId: 'attempt-2', agent: 'ada', outcome: null });
  });

  it('links a retry to the attempt it retries, with the wait between them and its reason', () => {
    const spans = lifeOf(
      created,
      assigned('ada', 1),
      started,
      queued('retry'),
      assigned('bob', 2),
      completed,
    );
    expect(spans.map(shape)).toContainEqual(['attempt-2', 1, 3, 'queued']);
    expect(spans.find(({ id }) => id === 'wait-4')).toMatchObject({
      name: 'queued',
      reason: 'retry',
      endedAt: 4_000,
    });
    expect(spans.find(({ id }) => id === 'attempt-5')?.links).toEqual([
      { spanId: 'attempt-2', relation: 'retries' },
    ]);
  });

  it('shows a delegation until the agent begins, whether it had room or not', () => {
    const handed = ['delegated', { assignedTo: 'bob', status: 'assigned', attempt: 2 }, 'delegated'] as const;
    const atOnce = lifeOf(created, assigned('ada', 1), started, handed, started, completed);
    expect(atOnce.find(({ kind }) => kind === 'delegation')).toMatchObject({
      name: 'from ada',
      agent: 'bob',
      startedAt: 3_000,
      endedAt: 4_000,
    });
    const pinned = [
      'delegated',
      { assignedTo: null, status: 'queued', pinnedTo: 'bob' },
      'delegated',
    ] as const;
    const later = lifeOf(created, assigned('ada', 1), started, pinned, assigned('bob', 2), started);
    expect(later.find(({ kind }) => kind === 'delegation')).toMatchObject({
      startedAt: 3_000,
      endedAt: 5_000,
    });
    for (const spans of [atOnce, later]) {
      const second = spans.findLast(({ kind }) => kind === 'attempt');
      expect(second?.links).toEqual([{ spanId: 'attempt-2', relation: 'delegatedFrom' }]);
      expect(spans.find(({ id }) => id === 'attempt-2')).toMatchObject({
        endedAt: 3_000,
        outcome: 'delegated',
      });
    }
  });

  it('ends a delegation that goes another way', () => {
    const pinned = [
      'delegated',
      { assignedTo: null, status: 'queued', pinnedTo: 'bob' },
      'delegated',
    ] as const;
    const unpinned = ['queued', { pinnedTo: null, statusReason: 'unpinned' }, 'unpinned'] as const;
    const spans = lifeOf(created, assigned('ada', 1), started, pinned, unpinned);
    expect(spans.find(({ kind }) => kind === 'delegation')).toMatchObject({
      endedAt: 4_000,
      reason: 'unpinned',
    });
  });

  it('goes on when it is reopened', () => {
    const failed = ['failed', { status: 'failed', assignedTo: null }, 'broken'] as const;
    const spans = lifeOf(created, assigned('ada', 1), failed, queued('reopened'));
    expect(spans[0]).toMatchObject({ id: 'task', endedAt: null, outcome: null, reason: null });
    expect(spans.map(shape)).toContainEqual(['wait-4', 3, null, null]);
  });

  it('is not changed by what changes no status', () => {
    const updated = ['updated', { priority: 1 }] as const;
    expect(lifeOf(created, updated, updated)).toEqual(lifeOf(created));
  });
});
