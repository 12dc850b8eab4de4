import { describe, expect, it } from '@jest/globals';
import type { TaskEvent, TaskStatus } from '@baton/contracts';
import { eventsOf } from '../../test/history.js';
import { stateOf } from './task-state.fold.js';

const id = '01935000-0000-7000-8000-000000000001';
const last = (path: readonly TaskStatus[]): TaskEvent => eventsOf({ id }, path).at(-1) as TaskEvent;

describe('stateOf', () => {
  it('counts an agent only where it holds the task or ended it', () => {
    expect(stateOf(last(['queued', 'assigned'])).agent).toBe('worker');
    expect(stateOf(last(['queued', 'assigned', 'in_progress'])).agent).toBe('worker');
    expect(stateOf(last(['queued', 'assigned', 'in_progress', 'completed'])).agent).toBe('worker');
    expect(stateOf(last(['queued', 'assigned', 'queued'])).agent).toBe('');
    expect(stateOf(last(['queued', 'assigned', 'cancelled'])).agent).toBe('worker');
    expect(stateOf(last(['queued', 'assigned', 'queued', 'cancelled'])).agent).toBe('');
  });

  it('has an end in terminal states only', () => {
    const failed = last(['queued', 'assigned', 'in_progress', 'failed']);
    expect(stateOf(failed).endedAt).toBe(failed.time);
    expect(stateOf(last(['queued', 'assigned', 'in_progress', 'failed', 'queued'])).endedAt).toBeNull();
  });

  it('takes the time of the event as the end when the task tells none', () => {
    const cancelled = last(['queued', 'cancelled']);
    const silent = { ...cancelled, data: { ...cancelled.data, completedAt: null } };
    expect(stateOf(silent).endedAt).toBe(cancelled.time);
  });

  it('keeps the end of a task deleted after it, and counts one deleted before it nowhere', () => {
    const completed = last(['queued', 'assigned', 'in_progress', 'completed']);
    expect(stateOf({ ...completed, type: 'task.deleted' }).status).toBe('completed');
    expect(stateOf({ ...last(['created']), type: 'task.deleted' }).status).toBe('deleted');
  });
});
