import { describe, expect, it } from '@jest/globals';
import { createdFixture } from '../../test/task.fixture.js';
import { nextDue } from './due.policy.js';
import type { Task } from './task.js';

const START = 1_000_000;

const task = (change: Partial<Task>): Task => ({ ...createdFixture({}, START), ...change });
const taken = (change: Partial<Task>) =>
  task({
    status: 'assigned',
    statusReason: null,
    assignedAt: START,
    offerAcceptedAt: START,
    offerTries: 1,
    startTimeout: 600,
    ...change,
  });
const working = (change: Partial<Task>) => task({ status: 'in_progress', startedAt: START, ...change });

describe('the next thing a timer looks at', () => {
  it.each([
    ['nothing without a limit', task({}), undefined],
    ['nothing of a task that ended', task({ status: 'failed', deadline: START }), undefined],
    ['how long it waits in the queue', task({ queueTimeout: 60 }), [60_000, 'queue_timeout']],
    [
      'how long it waits for others, from its creation on',
      task({ status: 'blocked', queuedAt: null, queueTimeout: 60 }),
      [60_000, 'queue_timeout'],
    ],
    [
      'how long it is held back',
      task({ status: 'created', queuedAt: null, queueTimeout: 60 }),
      [60_000, 'queue_timeout'],
    ],
    [
      'when it becomes available, if that is earlier',
      task({ backlogClass: null, availableAt: START + 5_000, queueTimeout: 60 }),
      [5_000, 'ripen'],
    ],
    ['the deadline, if that is earlier', task({ queueTimeout: 60, deadline: START + 5 }), [5, 'deadline']],
    [
      'how long it is worked on',
      working({ timeout: 30, progressTimeout: 60, queueTimeout: 1 }),
      [30_000, 'timeout'],
    ],
    ['whether an idle agent could begin it, where it is taken and not begun', taken({}), [30_000, 'steal']],
    ['that again, as often as it was looked at', taken({ offerTries: 5 }), [90_000, 'steal']],
    ['how long it may stay so', taken({ startTimeout: 30 }), [30_000, 'start_timeout']],
    ['only that of one somebody chose', taken({ statusReason: 'by_hand' }), [600_000, 'start_timeout']],
    ['how long nothing is heard of it', working({ progressTimeout: 20 }), [20_000, 'progress_timeout']],
  ])('is %s', (_what, given, expected) => {
    const next = nextDue(given);
    expect(next && [next.at - START, next.what]).toEqual(expected);
  });

  it('moves on with the progress that was reported, and the timeout does not', () => {
    const one = working({ progressTimeout: 20 });
    expect(nextDue(one, START + 15_000)).toEqual({ at: START + 35_000, what: 'progress_timeout' });
    expect(nextDue({ ...one, timeout: 30 }, START + 15_000)).toEqual({ at: START + 30_000, what: 'timeout' });
    // A report of an earlier start says nothing of this one.
    expect(nextDue(one, START - 15_000)).toEqual({ at: START + 20_000, what: 'progress_timeout' });
  });
});
