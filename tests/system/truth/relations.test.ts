import { describe, expect, it } from '@jest/globals';
import { checkChildren, checkDependencies, type Relative } from './relations.js';

const task = (id: string, change: Partial<Relative> = {}): Relative => ({
  id,
  status: 'completed',
  parentTaskId: null,
  detached: false,
  createdAt: 0,
  completedAt: 10,
  ...change,
});

describe('a task that depends on others', () => {
  const happens = (type: string, at: number, reason: string | null = null) => [
    { version: 1, type, actor: 'any', reason, attempt: 1, at, changes: {} },
  ];

  it('may be handed out when all have completed, and given up when one has not', () => {
    expect(checkDependencies(happens('task.assigned', 10), [task('a'), task('b')])).toEqual([]);
    const failed = happens('task.failed', 10, 'dependency_failed');
    expect(checkDependencies(failed, [task('a'), task('b', { status: 'cancelled' })])).toEqual([]);
  });

  it.each([
    ['assigned before the last completed', happens('task.assigned', 9), [task('a')], 'before task a'],
    ['started before the last completed', happens('task.started', 9), [task('a')], 'before task a'],
    [
      'assigned after one failed',
      happens('task.assigned', 11),
      [task('a', { status: 'failed' })],
      'before task a',
    ],
    ['given up without a cause', happens('task.failed', 11, 'dependency_failed'), [task('a')], 'none of its'],
    [
      'given up before the cause',
      happens('task.failed', 9, 'dependency_failed'),
      [task('a', { status: 'failed' })],
      'none of its',
    ],
  ])('is wrong when %s', (_what, events, dependencies, problem) => {
    expect(checkDependencies(events, dependencies).join('\n')).toContain(problem);
  });
});

describe('a child', () => {
  const check = (parent: Relative, child: Relative) =>
    checkChildren(new Map([parent, child].map((one) => [one.id, one])));
  const waiting: Partial<Relative> = { parentTaskId: 'p', status: 'queued', completedAt: null };

  it('may live on when its parent completed or it is detached', () => {
    expect(check(task('p'), task('c', waiting))).toEqual([]);
    expect(check(task('p', { status: 'cancelled' }), task('c', { ...waiting, detached: true }))).toEqual([]);
  });

  it.each([
    [
      'outlives its cancelled parent',
      task('p', { status: 'cancelled' }),
      waiting,
      'its parent p was cancelled',
    ],
    [
      'is born after its parent ended',
      task('p'),
      { ...waiting, createdAt: 11 },
      'was born after its parent p',
    ],
  ])('is wrong when it %s', (_what, parent, child, problem) => {
    expect(check(parent, task('c', child)).join('\n')).toContain(problem);
  });
});
