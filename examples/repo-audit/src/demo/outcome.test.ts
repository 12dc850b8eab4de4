import type { Actor, TaskHistoryEntry, TaskStatus, TaskView } from '@baton/contracts';
import { describe, expect, it } from '@jest/globals';
import { narrate } from './narrate.js';
import { failuresOf, isFinished, summaryTable, toJsonLine, wasReassigned } from './outcome.js';

const entry = (type: string, actor: Actor, reason: string | null = null): TaskHistoryEntry => ({
  version: 1,
  type,
  at: '2026-01-01T00:00:00.000Z',
  actor,
  reason,
  attempt: 1,
  data: {},
});
const task = (id: string, status: TaskStatus, values: Partial<TaskView> = {}) =>
  ({
    id,
    title: `Do ${id}`,
    status,
    statusReason: null,
    parentTaskId: 'root',
    assignedTo: null,
    lastAgentId: null,
    attempt: 1,
    actualDuration: null,
    error: null,
    ...values,
  }) as TaskView;
const root = task('root', 'completed', { parentTaskId: null, lastAgentId: 'planner' });

describe('wasReassigned', () => {
  const begun = [
    entry('task.created', 'agent:planner'),
    entry('task.assigned', 'service:distribution'),
    entry('task.started', 'agent:code-metrics-1'),
  ];
  const expired = entry('task.queued', 'system:presence', 'expired');

  it('asks that another agent worked on it after it was taken', () => {
    const again = entry('task.started', 'agent:code-metrics-2');
    expect(wasReassigned([...begun, expired, again], 'code-metrics-1')).toBe(true);
    expect(wasReassigned([...begun, expired], 'code-metrics-1')).toBe(false);
    expect(wasReassigned([...begun, expired, ...begun], 'code-metrics-1')).toBe(false);
    expect(wasReassigned([...begun, again], 'code-metrics-1')).toBe(false);
  });

  it('does not take a retry for it', () => {
    const retry = entry('task.queued', 'agent:code-metrics-1', 'retry');
    const again = entry('task.started', 'agent:code-metrics-2');
    expect(wasReassigned([...begun, retry, again], 'code-metrics-1')).toBe(false);
  });
});

describe('the end of an audit', () => {
  it('is when the root and all its tasks have ended', () => {
    expect(isFinished('root', [])).toBe(false);
    expect(isFinished('root', [task('root', 'in_progress')])).toBe(false);
    expect(isFinished('root', [root, task('a', 'queued')])).toBe(false);
    expect(isFinished('root', [root, task('a', 'failed')])).toBe(true);
  });

  it('tells the causes of failures, not their consequences', () => {
    const error = { code: 'audit_failed', message: 'no such commit', retryable: false };
    const failures = failuresOf([
      root,
      task('a', 'failed', { error }),
      task('b', 'failed', { statusReason: 'dependency_failed' }),
    ]);
    expect(failures).toBe('2 tasks did not complete:\n  Do a: no such commit');
    expect(failuresOf([root])).toBeUndefined();
  });

  it('is one line of JSON and a table', () => {
    const moved = task('a', 'completed', { attempt: 2, lastAgentId: 'code-metrics-2' });
    const outcome = {
      rootTaskId: 'root',
      report: '/r.md',
      tasks: [root, moved],
      reassigned: [moved],
      seconds: 9.5,
    };
    expect(JSON.parse(toJsonLine(outcome))).toEqual({
      ok: true,
      tasks: { completed: 2, failed: 0 },
      agents: 6,
      reassigned: 1,
      seconds: 9.5,
      report: '/r.md',
    });
    const text = summaryTable(outcome, 'code-metrics-1');
    expect(text).toContain('code-metrics-1      0   code.metrics (killed)');
    expect(text).toContain('2 tasks completed by 6 agents in 9.5 s, 1 reassigned after the kill');
  });
});

describe('narrate', () => {
  it('tells the plan once, then each end, and who takes over', () => {
    const working = task('a', 'in_progress', { lastAgentId: 'code-metrics-1' });
    expect(narrate([root], [root, working, task('b', 'queued', { attempt: 0 })])).toEqual([
      'planner made a plan of 2 tasks',
    ]);
    const done = task('b', 'completed', { lastAgentId: 'historian', actualDuration: 0.012 });
    expect(narrate([root, working, task('b', 'queued', { attempt: 0 })], [root, working, done])).toEqual([
      'historian       Do b (12 ms)',
    ]);
    const again = task('a', 'in_progress', { lastAgentId: 'code-metrics-2', attempt: 2 });
    expect(narrate([root, working, done], [root, again, done])).toEqual([
      'code-metrics-2  takes over: Do a (attempt 2)',
    ]);
    expect(narrate([root, again], [root, again])).toEqual([]);
    const retried = task('a', 'in_progress', { lastAgentId: 'code-metrics-2', attempt: 3 });
    expect(narrate([root, again], [root, retried])).toEqual([
      'code-metrics-2  tries again: Do a (attempt 3)',
    ]);
  });
});
