import { describe, expect, it } from '@jest/globals';
import { DomainError } from '@baton/contracts';
import { createdFixture } from '../../test/task.fixture.js';
import type { Edge } from './dependency.decide.js';
import { decide } from './task.decide.js';
import type { Task } from './task.js';

const BLOCKED: Task = {
  ...createdFixture(),
  status: 'blocked',
  statusReason: 'dependency',
  backlogClass: null,
};

/** What a fresh look at such edges makes of a task that waits. */
function look(...edges: readonly (readonly [Edge['policy'], Edge['status']])[]): Task {
  const dependencies = edges.map(([policy, status], index) => ({
    taskId: `d${index}`,
    policy,
    name: null,
    status,
  }));
  const related = {
    dependencies,
    agent: undefined,
    liveEpoch: null,
    heartbeatMs: null,
    progressAt: null,
    parentStatus: null,
    described: undefined,
  };
  const decided = decide(BLOCKED, related, { kind: 'unblock', taskId: 'x' }, BLOCKED.updatedAt);
  if (decided instanceof DomainError) throw decided;
  return decided.task;
}

describe('a task that waits for others', () => {
  it('goes on when none holds it back any more', () => {
    expect(look(['fail', 'completed'], ['wait', 'completed'])).toMatchObject({
      status: 'queued',
      statusReason: 'unblocked',
    });
    expect(look(['ignore', 'failed'], ['ignore', 'cancelled'])).toMatchObject({ status: 'queued' });
  });

  it('waits on while one is unfinished, or broken and to be waited for', () => {
    expect(look(['fail', 'completed'], ['ignore', 'queued'])).toBe(BLOCKED);
    expect(look(['wait', 'failed'], ['ignore', 'completed'])).toBe(BLOCKED);
  });

  it('ends as the policy of a broken one says, whatever the others do', () => {
    expect(look(['fail', 'queued'], ['fail', 'cancelled'])).toMatchObject({
      status: 'failed',
      statusReason: 'dependency_failed',
      error: { code: 'dependency_failed', message: 'its dependency d1 was cancelled', retryable: false },
    });
    expect(look(['fail', 'queued'], ['cancel', 'failed'])).toMatchObject({
      status: 'cancelled',
      statusReason: 'dependency_failed',
    });
    expect(look(['cancel', 'failed'], ['fail', 'failed'])).toMatchObject({ status: 'failed' });
  });
});
