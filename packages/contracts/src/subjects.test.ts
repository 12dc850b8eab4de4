import { describe, expect, it } from '@jest/globals';
import {
  agentOfSubject,
  agentSubject,
  CALL_VERBS,
  HINT_SUBJECTS,
  placeSubject,
  SERVICE_SUBJECTS,
  TASK_VERBS,
} from './subjects.js';
import { agentOf } from './words.js';

function subjectsOf(id: string): readonly string[] {
  return [
    agentSubject.hello(id),
    agentSubject.heartbeat(id),
    agentSubject.goodbye(id),
    agentSubject.offer(id),
    agentSubject.control(id),
    agentSubject.inbox(id),
    ...TASK_VERBS.map((verb) => agentSubject.task(id, verb)),
    ...CALL_VERBS.map((verb) => agentSubject.call(id, verb)),
  ];
}

describe('subjects', () => {
  it('are all different and free of wildcards', () => {
    const { fleet, slots, usage, distributorBeat } = HINT_SUBJECTS;
    const hints = [fleet, slots, usage, distributorBeat('one')];
    const services = [...Object.values(SERVICE_SUBJECTS), placeSubject(0), placeSubject(63)];
    const all = [...services, ...hints, ...subjectsOf('writer')];
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((subject) => !/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/.test(subject))).toEqual([]);
  });

  it.each(['a', 'writer', 'agent', 'hello', '_-_', 'A'.repeat(64)])('tell the agent %s', (id) => {
    expect(new Set(subjectsOf(id).map(agentOfSubject))).toEqual(new Set([id]));
  });

  it('an agent hears none that it may publish on, so that what it hears cannot be forged', () => {
    const mayPublish = /^agent\.writer\.(hello|heartbeat|goodbye|task\.[^.]+|call\.[^.]+)$/;
    const heard = subjectsOf('writer').filter((subject) => !mayPublish.test(subject));
    expect(heard).toEqual(['agent.writer.offer', 'agent.writer.control', 'agent.writer.inbox']);
  });
});

describe('the actor', () => {
  it('is an agent only when it says so', () => {
    expect(agentOf('agent:writer')).toBe('writer');
    expect(agentOf('user:agent:writer')).toBeUndefined();
    expect(agentOf('system:timer')).toBeUndefined();
  });
});
