import { describe, expect, it } from '@jest/globals';
import { mayReplyTo } from './reply-guard.js';

describe('mayReplyTo', () => {
  it.each([
    ['_INBOX.a1.x.y', 'agent.a1.hello', true],
    ['_R_.a.b', 'agent.a1.hello', true],
    ['', 'agent.a1.goodbye', true],
    [undefined, 'agent.a1.goodbye', true],
    ['_INBOX.svc-task.x', 'svc.task.assign', true],
    ['_INBOX.a1', 'agent.a1.hello', false],
    ['_INBOX.a12.x', 'agent.a1.hello', false],
    ['_INBOX.a2.x', 'agent.a1.task.start', false],
    ['agent.a2.offer', 'agent.a1.hello', false],
    ['svc.task.assign', 'agent.a1.call.create', false],
    ['_R_', 'agent.a1.hello', false],
  ])('an answer to %s of a request on %s: %s', (reply, subject, allowed) => {
    expect(mayReplyTo(reply, subject)).toBe(allowed);
  });
});
