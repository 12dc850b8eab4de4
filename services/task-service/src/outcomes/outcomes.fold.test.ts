import { describe, expect, it } from '@jest/globals';
import type { TaskEvent } from '@baton/contracts';
import { taskEvent } from '@baton/testkit';
import fc from 'fast-check';
import { isOutcome, lessonsOf } from './outcomes.fold.js';

const left = {
  agent: 'writer',
  assignedAt: '2026-01-01T00:00:00.000Z',
  startedAt: '2026-01-01T00:00:00.000Z',
  capabilities: ['write', 'french'],
};
const event = (type: TaskEvent['type'], data: Partial<TaskEvent['data']> = {}): TaskEvent => {
  const sample = taskEvent(type);
  return { ...sample, data: { ...sample.data, type: 'letter', reason: null, left, ...data } };
};
const completed = (seconds = 1) =>
  event('task.completed', {
    completedAt: new Date(Date.parse(left.startedAt) + seconds * 1_000).toISOString(),
  });
const failed = event('task.queued', { reason: 'retry' });

describe('what is learned of the ends of attempts', () => {
  it('is of what the agent did, not of what was done to it', () => {
    expect(isOutcome(completed())).toBe(true);
    expect(isOutcome(failed)).toBe(true);
    for (const reason of ['retries_exhausted', 'not_retryable'])
      expect(isOutcome(event('task.failed', { reason }))).toBe(true);
    for (const reason of ['agent_lost', 'undeliverable', 'expired', 'budget_exceeded', 'dependency_failed'])
      expect(isOutcome(event('task.failed', { reason }))).toBe(false);
    for (const reason of ['expired', 'returned', 'rate_limited', 'unblocked', 'reassigned', 'not_started'])
      expect(isOutcome(event('task.queued', { reason }))).toBe(false);
    expect(isOutcome(event('task.cancelled'))).toBe(false);
    expect(isOutcome(event('task.failed', { reason: 'not_retryable', left: undefined }))).toBe(false);
  });

  it('is shared among the capabilities a task required, and whole for its type', () => {
    const lessons = lessonsOf([completed(Math.E), failed]);
    expect(
      lessons.map(({ agentId, type, capability, events }) => [agentId, type, capability, events]),
    ).toEqual([
      ['writer', 'letter', '', 2],
      ['writer', 'letter', 'french', 2],
      ['writer', 'letter', 'write', 2],
    ]);
    expect(lessons.map(({ succeeded }) => succeeded)).toEqual([0.99, 0.495, 0.495]);
    expect(lessons.map(({ failed: of }) => of)).toEqual([1, 0.5, 0.5]);
    const { durations } = lessons[0] ?? {};
    expect(durations?.count).toBe(0.99);
    expect(durations?.sum).toBeCloseTo(0.99, 3);
    expect(durations?.squares).toBeCloseTo(0.99, 3);
  });

  it('is the same whether events come together or one after the other', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 50 }), fc.nat(50), (ends, cut) => {
        const events = ends.map((isGood) => (isGood ? completed() : failed));
        const whole = lessonsOf(events)[0];
        const [before, after] = [lessonsOf(events.slice(0, cut))[0], lessonsOf(events.slice(cut))[0]];
        const kept = 0.99 ** (after?.events ?? 0);
        const sum = (before?.succeeded ?? 0) * kept + (after?.succeeded ?? 0);
        expect(whole?.succeeded ?? 0).toBeCloseTo(sum, 9);
      }),
    );
  });
});
