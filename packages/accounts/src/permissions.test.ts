import { describe, expect, it } from '@jest/globals';
import { DURABLES, HINT_SUBJECTS, MESSAGES, SERVICE_NAMES, STREAMS, type Message } from '@baton/contracts';
import { agentPermissions, servicePermissions } from './permissions.js';

const messages: readonly Message[] = Object.values(MESSAGES);
const subjectOf = ({ subject }: Message) => subject.replaceAll(/\{\w+\}/g, 'x');
const agent = agentPermissions('x');

/** Whether some subject fits both patterns. */
function overlap(left: string, right: string): boolean {
  const [a, b] = [left.split('.'), right.split('.')];
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const [one, other] = [a[index], b[index]];
    if (one === undefined || other === undefined) return false;
    if (one === '>' || other === '>') return true;
    if (one !== '*' && other !== '*' && one !== other) return false;
  }
  return true;
}

const allows = (patterns: readonly string[], subject: string) =>
  patterns.some((pattern) => overlap(pattern, subject));

describe('an agent', () => {
  it('publishes and hears exactly what the protocol says', () => {
    expect([...agent.publish].toSorted()).toEqual([
      'agent.x.call.*',
      'agent.x.goodbye',
      'agent.x.heartbeat',
      'agent.x.hello',
      'agent.x.task.*',
    ]);
    expect([...agent.subscribe].toSorted()).toEqual([
      '_INBOX.x.>',
      'agent.x.control',
      'agent.x.inbox',
      'agent.x.offer',
    ]);
  });

  it('hears nothing that any agent may publish, so that nothing it hears can be forged by one', () => {
    for (const other of [agent, agentPermissions('y')]) {
      const both = agent.subscribe.filter((pattern) => allows(other.publish, pattern));
      expect(both).toEqual([]);
    }
  });

  it('may send every message of agents, and hear every message to them', () => {
    const fromAgents = messages.filter(({ from }) => from === 'agent').map(subjectOf);
    expect(fromAgents.filter((subject) => !allows(agent.publish, subject))).toEqual([]);
    const toAgents = messages.filter(({ from }) => from !== 'agent').map(subjectOf);
    const ofAgents = toAgents.filter((subject) => subject.startsWith('agent.'));
    expect(ofAgents.filter((subject) => !allows(agent.subscribe, subject))).toEqual([]);
    expect(ofAgents.length).toBeGreaterThan(0);
  });

  it('reaches nothing between services, no stream and no system subject', () => {
    const between = messages.map(subjectOf).filter((subject) => !subject.startsWith('agent.'));
    const events = Object.values(STREAMS).flatMap(({ subjects }): readonly string[] => subjects);
    const system = ['$JS.API.INFO', '$SYS.REQ.SERVER.PING', '$JS.ACK.TASKS.reactors.1', '_R_.a.b'];
    for (const subject of [...between, ...events, ...system, HINT_SUBJECTS.distributorBeat('x')]) {
      expect([subject, allows([...agent.publish, ...agent.subscribe], subject)]).toEqual([subject, false]);
    }
  });
});

describe.each(SERVICE_NAMES)('%s', (name) => {
  const { publish, subscribe } = servicePermissions(name);

  it('may send its messages, and none of an agent', () => {
    const own = messages.filter(({ from, alsoFrom }) => from === name || alsoFrom?.includes(name));
    expect(own.map(subjectOf).filter((subject) => !allows(publish, subject))).toEqual([]);
    expect(agent.publish.filter((pattern) => allows(publish, pattern))).toEqual([]);
  });

  it('has an inbox of its own, and hears no other', () => {
    const inboxes = ['_INBOX.x.1', ...SERVICE_NAMES.map((other) => `_INBOX.svc-${other}.1`)];
    expect(inboxes.filter((inbox) => allows(subscribe, inbox))).toEqual([`_INBOX.svc-${name}.1`]);
  });

  it('can delete, purge or read no stream past its consumers, and publishes events only if it owns them', () => {
    for (const verb of ['DELETE', 'PURGE', 'MSG.GET', 'MSG.DELETE', 'SNAPSHOT', 'RESTORE']) {
      expect(allows(publish, `$JS.API.STREAM.${verb}.TASKS`)).toBe(false);
    }
    expect(allows(publish, '$JS.API.CONSUMER.DELETE.TASKS.reactors')).toBe(false);
    expect(allows(publish, 'task.completed')).toBe(name === 'task-service');
  });
});

it('every request is heard by the one service that answers it', () => {
  const heardBy = (subject: string) =>
    SERVICE_NAMES.filter((name) => allows(servicePermissions(name).subscribe, subject));
  const toBaton = messages.filter(({ from, subject }) => from === 'agent' || !subject.startsWith('agent.'));
  const requests = toBaton.filter(({ answer }) => answer !== undefined).map(subjectOf);
  expect(requests.filter((subject) => heardBy(subject).length !== 1)).toEqual([]);
  expect(requests.length).toBeGreaterThan(30);
});

it('every durable is read by one service, and metrics-service, which has consumers of its own making', () => {
  for (const durable of Object.values(DURABLES)) {
    const subject = `$JS.API.CONSUMER.MSG.NEXT.TASKS.${durable}`;
    const readers = SERVICE_NAMES.filter((name) => allows(servicePermissions(name).publish, subject));
    expect(readers.filter((name) => name !== 'metrics-service').length).toBe(durable === 'metrics' ? 0 : 1);
  }
});
