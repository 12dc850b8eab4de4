import { describe, expect, it } from '@jest/globals';
import { taskEvent } from '../test/events.js';
import { readEventBatch } from './event-batch.js';

describe('readEventBatch', () => {
  it('reads all events of a message', () => {
    const events = [taskEvent('task.created'), taskEvent('task.created', 2)];
    expect(readEventBatch('TASKS', 'task.created', JSON.stringify(events))).toEqual({ ok: true, events });
  });

  it.each([
    ['text', 'TASKS', '{', /^expected JSON$/],
    ['an empty array', 'TASKS', '[]', /^not a batch of events: \/ /],
    ['a single event', 'TASKS', JSON.stringify(taskEvent('task.created')), /^not a batch of events: \/ /],
    ['a batch of another stream', 'FLEET', JSON.stringify([taskEvent('task.created')]), /: \/0\//],
    [
      'an event of another type',
      'TASKS',
      JSON.stringify([taskEvent('task.created'), taskEvent('task.failed')]),
      /^an event of type task\.failed on subject task\.created$/,
    ],
    [
      'a field of another kind',
      'TASKS',
      JSON.stringify([{ ...taskEvent('task.created'), taskversion: 'one' }]),
      /^not a batch of events: \/0\/taskversion /,
    ],
  ] as const)('says what is wrong with %s', (_what, stream, text, reason) => {
    const expected: unknown = expect.stringMatching(reason);
    expect(readEventBatch(stream, 'task.created', text)).toEqual({ ok: false, reason: expected });
  });
});
