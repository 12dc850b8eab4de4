import { describe, expect, it } from '@jest/globals';
import { createdFixture } from '../../test/task.fixture.js';
import { toQueuedTask, toTaskEvent } from './task.events.js';
import type { Task } from './task.js';

const waiting = createdFixture({ criteria: { preferredAgents: ['named'] } });
const preferredBy = (changes: Partial<Task>) =>
  toQueuedTask({ ...waiting, ...changes }).needs.criteria.preferredAgents;

describe('what the distribution is told of a ready task', () => {
  it('prefers the agent that had it before it waited, beside those it names, in the same class', () => {
    const again = { statusReason: 'answered', lastAgentId: 'last', attempt: 1 } as const;
    expect(preferredBy(again)).toEqual(['named', 'last']);
    expect(preferredBy({ ...again, lastAgentId: 'named' })).toEqual(['named']);
    expect(preferredBy({ ...again, statusReason: 'unblocked', criteria: {} })).toEqual(['last']);
    const event = toTaskEvent({ ...waiting, ...again }, 'task.queued', undefined, undefined);
    expect(event.data.needs).toMatchObject({
      backlogClass: waiting.needsClass,
      criteria: { preferredAgents: ['named', 'last'] },
    });
  });

  it('prefers nobody because of a try that failed or was lost, or of none', () => {
    for (const statusReason of ['retry', 'expired', 'returned', 'reopened'])
      expect(preferredBy({ statusReason, lastAgentId: 'last', criteria: {} })).toBeUndefined();
    expect(preferredBy({ statusReason: 'unblocked', criteria: {} })).toBeUndefined();
  });
});
