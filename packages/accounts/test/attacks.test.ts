import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { HINT_SUBJECTS, INBOX_PREFIX, MESSAGES, STREAMS } from '@baton/contracts';
import { connectAgent, connectOperator, startNats, until, type TestNats } from '@baton/testkit';
import type { NatsConnection } from '@nats-io/transport-node';
import { agentCredentials, agentIssuerOf, createKeys } from '../src/index.js';
import { openRaw, type RawClient } from './raw-client.js';

let nats: TestNats;
/** Sees everything in the services' account, and answers what agents ask there. */
let core: NatsConnection;
let victim: NatsConnection;
const asked: string[] = [];
const reachedVictim: string[] = [];
const opened: RawClient[] = [];

beforeAll(async () => {
  nats = await startNats();
  core = await connectOperator(nats);
  victim = await connectAgent(nats, 'victim');
  const subjects = [...STREAMS.TASKS.subjects];
  const made = await core.request('$JS.API.STREAM.CREATE.TASKS', JSON.stringify({ name: 'TASKS', subjects }));
  if ('error' in made.json<object>()) throw new Error(made.string());
  for (const subject of ['agent.*.hello', 'agent.*.goodbye', 'agent.*.task.*', 'agent.*.call.*']) {
    core.subscribe(subject, {
      callback: (_, message) => {
        asked.push(message.subject);
        message.respond('{"ok":true}');
      },
    });
  }
  for (const subject of ['agent.victim.offer', 'agent.victim.control', 'agent.victim.inbox']) {
    victim.subscribe(subject, { callback: (_, message) => void reachedVictim.push(message.subject) });
  }
  await Promise.all([core.flush(), victim.flush()]);
});
afterEach(async () => {
  for (const client of opened.splice(0)) client.close();
  asked.length = 0;
  const stored = await storedEvents();
  if (reachedVictim.length + stored === 0) return;
  throw new Error(`the victim heard ${reachedVictim.join()}, the stream holds ${stored} messages`);
});
afterAll(async () => {
  await Promise.all([core.close(), victim.close()]);
  await nats.close();
});

async function storedEvents(): Promise<number> {
  const answer = await core.request('$JS.API.STREAM.INFO.TASKS', '');
  return answer.json<{ readonly state: { readonly messages: number } }>().state.messages;
}

async function open(credentials?: string): Promise<RawClient> {
  const client = await openRaw(nats.port, credentials);
  opened.push(client);
  return client;
}

async function mallory(): Promise<RawClient> {
  const client = await open(await nats.access.agent('mallory'));
  await client.settled();
  expect(client.text()).not.toContain('-ERR');
  return client;
}

const streamVerbs =
  'CREATE UPDATE DELETE PURGE INFO MSG.GET MSG.DELETE SNAPSHOT RESTORE LEADER.STEPDOWN PEER.REMOVE';
const consumerVerbs = 'CREATE DURABLE.CREATE DELETE INFO LIST NAMES MSG.NEXT PAUSE LEADER.STEPDOWN';
const streamsApi = [
  '$JS.API.INFO',
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.NAMES',
  '$JS.API.DIRECT.GET.TASKS',
  '$JS.API.META.LEADER.STEPDOWN',
  '$JS.API.ACCOUNT.PURGE.CORE',
  ...streamVerbs.split(' ').map((verb) => `$JS.API.STREAM.${verb}.TASKS`),
  ...consumerVerbs.split(' ').map((verb) => `$JS.API.CONSUMER.${verb}.TASKS.reactors`),
  '$JS.ACK.TASKS.reactors.1.1.1.1.0',
  '$JS.FC.TASKS',
];

describe('an agent may not hear', () => {
  const others = Object.values(MESSAGES).map(({ subject }) => subject.replaceAll(/\{\w+\}/g, 'victim'));
  it.each([
    '>',
    '*.>',
    'agent.>',
    'agent.*.offer',
    'agent.mallory.>',
    'agent.mallory.hello',
    'agent.mallory.task.*',
    '_INBOX.>',
    '_INBOX.*.>',
    `${INBOX_PREFIX.agent('victim')}.>`,
    `${INBOX_PREFIX.service('task-service')}.>`,
    '_R_.>',
    '$SYS.>',
    '$JS.>',
    '$JS.EVENT.ADVISORY.>',
    'task.>',
    'svc.>',
    HINT_SUBJECTS.distributorBeat('*'),
    ...new Set(others),
  ])('%s', async (subject) => {
    const client = await mallory();
    client.send(`SUB ${subject} 1`, `SUB ${subject} workers 2`);
    await client.settled();
    const refusals = client.text().match(/-ERR 'Permissions Violation for Subscription to [^\r]*/g) ?? [];
    expect(refusals).toHaveLength(2);
  });
});

describe('an agent may not publish', () => {
  it.each([
    'agent.victim.hello',
    'agent.victim.heartbeat',
    'agent.victim.task.complete',
    'agent.victim.call.create',
    'agent.victim.offer',
    'agent.mallory.offer',
    'agent.mallory.control',
    'agent.mallory.inbox',
    'agent.*.hello',
    `${INBOX_PREFIX.agent('victim')}.1`,
    `${INBOX_PREFIX.service('task-service')}.1`,
    '_R_.abcdef.ghijkl',
    'task.created',
    'fleet.online',
    'svc.task.assign',
    'svc.fleet',
    HINT_SUBJECTS.distributorBeat('x'),
    '$SYS.REQ.CLAIMS.UPDATE',
    '$SYS.REQ.SERVER.PING',
    '$SYS.REQ.ACCOUNT.PING.CONNZ',
    ...streamsApi,
  ])('%s', async (subject) => {
    const client = await mallory();
    client.send(`PUB ${subject} ${INBOX_PREFIX.agent('mallory')}.1 2`, '{}');
    await client.settled();
    expect(client.text()).toContain(`-ERR 'Permissions Violation for Publish to "${subject}"'`);
    expect(asked).toEqual([]);
  });

  it('an event under the message id of another, to have the true one dropped', async () => {
    const client = await mallory();
    const header = 'NATS/1.0\r\nNats-Msg-Id: guessed\r\n\r\n';
    client.send(`HPUB task.created ${header.length} ${header.length + 2}`, `${header}[]`);
    await client.settled();
    expect(client.text()).toContain('-ERR \'Permissions Violation for Publish to "task.created"');
    const honest = await core.request('task.created', '[]', { timeout: 5_000 });
    expect(honest.json()).not.toHaveProperty('duplicate');
    await core.request('$JS.API.STREAM.PURGE.TASKS', '');
  });
});

describe('the subject for the answer', () => {
  it.each(['task.created', 'fleet.online', 'svc.task.assign', '$JS.API.STREAM.DELETE.TASKS'])(
    'named %s by an agent leads nowhere in the account of services',
    async (reply) => {
      const seen: string[] = [];
      const listening = core.subscribe(reply, { callback: (_, { subject }) => void seen.push(subject) });
      await core.flush();
      const client = await mallory();
      client.send(`PUB agent.mallory.task.start ${reply} 2`, '{}');
      await until(() => asked.length === 1);
      await core.flush();
      await client.settled();
      expect(seen).toEqual([]);
      listening.unsubscribe();
    },
  );

  it('named as one that agents are heard on makes Baton ask itself nothing in the name of another', async () => {
    const client = await mallory();
    client.send(`PUB agent.mallory.task.start agent.victim.task.complete 2`, '{}');
    await until(() => asked.length > 0);
    await Promise.all([core.flush(), client.settled()]);
    await core.flush();
    expect(asked).toEqual(['agent.mallory.task.start']);
  });
});

describe('who is nobody', () => {
  it.each([
    ['no login', ['PING']],
    ['a subscription before the login', ['SUB > 1', 'PING']],
    ['a login without anything', ['CONNECT {}', 'PING']],
    ['a name and a password', ['CONNECT {"user":"operator","pass":"operator"}', 'PING']],
    ['a token', ['CONNECT {"auth_token":"x"}', 'PING']],
    ['a login that is no JSON', ['CONNECT {"jwt":', 'PING']],
    ['another protocol', ['GET / HTTP/1.1', '', '']],
  ])('is sent away: %s', async (_what, lines) => {
    const client = await open();
    client.send(...lines);
    await until(() => client.isClosed(), { describe: client.text });
    expect(client.text()).not.toContain('PONG');
  });

  it.each([
    ['signed by a stranger', async () => agentCredentials(agentIssuerOf(createKeys()), 'victim', tomorrow())],
    ['expired', () => nats.access.agent('victim', -5_000)],
    [
      'with the key of another',
      async () => mixed(await nats.access.agent('victim'), await nats.access.agent('mallory')),
    ],
    ['changed', async () => changed(await nats.access.agent('mallory'))],
  ])('is sent away: credentials %s', async (_what, credentials) => {
    const client = await open(await credentials());
    await until(() => client.isClosed(), { describe: client.text });
    expect(client.text()).toMatch(/-ERR '(Authorization Violation|User Authentication Expired)'/);
  });
});

describe('what is no protocol', () => {
  it.each([
    ['a message above the limit', 'PUB agent.mallory.heartbeat 8388609', /Maximum Payload Violation/],
    ['a size below nothing', 'PUB agent.mallory.heartbeat -1', /-ERR|$/],
    ['a line without end', `PUB ${'a'.repeat(5_000)}`, /maximum control line exceeded|Protocol|-ERR/i],
    ['an unknown word', 'HACK the planet', /Unknown Protocol Operation/],
    ['headers longer than the message', 'HPUB agent.mallory.heartbeat 20 10', /-ERR|$/],
  ])('ends the connection of who sends it, and no other: %s', async (_what, line, expected) => {
    const client = await mallory();
    client.send(line);
    await until(() => client.isClosed(), { describe: client.text });
    expect(client.text()).toMatch(expected);
    expect(await victim.rtt()).toBeGreaterThanOrEqual(0);
    const answer = await victim.request('agent.victim.call.get', '{}', { timeout: 5_000 });
    expect(answer.json()).toEqual({ ok: true });
  });
});

const tomorrow = () => new Date(Date.now() + 86_400_000);

/** The JWT of one and the seed of the other. */
function mixed(one: string, other: string): string {
  return (
    one.slice(0, one.indexOf('-----BEGIN USER NKEY')) + other.slice(other.indexOf('-----BEGIN USER NKEY'))
  );
}

/** Says another name than was signed. */
function changed(credentials: string): string {
  const [, jwt = ''] = /USER JWT-+\s+(\S+)/.exec(credentials) ?? [];
  const [header = '', claims = '', signature = ''] = jwt.split('.');
  const text = Buffer.from(claims, 'base64url').toString().replace('"mallory"', '"victim"');
  return credentials.replace(jwt, [header, Buffer.from(text).toString('base64url'), signature].join('.'));
}
