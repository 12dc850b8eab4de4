import { describe, expect, it } from '@jest/globals';
import { checkChildren, checkDependencies, endsOf, type Dependency, type Relative } from './relations.js';

const task = (id: string, change: Partial<Relative> = {}): Relative => ({
  id,
  status: 'completed',
  parentTaskId: null,
  detached: false,
  createdAt: 0,
  completedAt: 10,
  ...change,
});

const dependency = (id: string, status = 'completed', change: Partial<Dependency> = {}): Dependency => ({
  id,
  policy: 'fail',
  since: 0,
  ends: [{ status, at: 10 }],
  ...change,
});

describe('a task that depends on others', () => {
  const happens = (type: string, at: number, reason: string | null = null) => [
    { version: 1, type, actor: 'any', reason, attempt: 1, at, changes: {} },
  ];

  it('may be handed out when all have completed, and given up when one has not', () => {
    expect(checkDependencies(happens('task.assigned', 10), [dependency('a'), dependency('b')])).toEqual([]);
    const failed = happens('task.failed', 10, 'dependency_failed');
    expect(checkDependencies(failed, [dependency('a'), dependency('b', 'cancelled')])).toEqual([]);
    const ignored = dependency('a', 'failed', { policy: 'ignore' });
    expect(checkDependencies(happens('task.assigned', 10), [ignored])).toEqual([]);
    const later = dependency('a', 'completed', { since: 6 });
    expect(checkDependencies(happens('task.assigned', 5), [later])).toEqual([]);
  });

  it.each([
    ['assigned before the last completed', happens('task.assigned', 9), [dependency('a')], 'before task a'],
    ['started before the last completed', happens('task.started', 9), [dependency('a')], 'before task a'],
    ['assigned after one failed', happens('task.assigned', 11), [dependency('a', 'failed')], 'before task a'],
    [
      'assigned although one it waits for was cancelled',
      happens('task.assigned', 11),
      [dependency('a', 'cancelled', { policy: 'wait' })],
      'before task a',
    ],
    [
      'given up for one it was to ignore',
      happens('task.failed', 11, 'dependency_failed'),
      [dependency('a', 'failed', { policy: 'ignore' })],
      'none of its',
    ],
    [
      'given up without a cause',
      happens('task.failed', 11, 'dependency_failed'),
      [dependency('a')],
      'none of its',
    ],
    [
      'given up before the cause',
      happens('task.failed', 9, 'dependency_failed'),
      [dependency('a', 'failed')],
      'none of its',
    ],
  ])('is wrong when %s', (_what, events, dependencies, problem) => {
    expect(checkDependencies(events, dependencies).join('\n')).toContain(problem);
  });
});

it('knows every end of a task that was reopened', () => {
  const event = { version: 1, actor: 'any', reason: null, attempt: 1, changes: {} };
  const types = ['task.failed', 'task.queued', 'task.completed'];
  expect(endsOf(types.map((type, at) => ({ ...event, type, at })))).toEqual([
    { status: 'failed', at: 0 },
    { status: 'completed', at: 2 },
  ]);
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
