import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { readFixtures, type Fixture } from '../test/fixtures.js';
import { mutations, type Schema } from '../test/mutations.js';
import {
  callAck,
  callCancel,
  callCreate,
  callGet,
  callInbox,
  callRelease,
  callSpawn,
} from './agent-calls.js';
import { taskCommands, taskItems } from './agent-commands.js';
import {
  control,
  goodbye,
  heartbeat,
  hello,
  inboxAnswer,
  inboxDelivery,
  offer,
  offerAnswer,
} from './agent-protocol.js';
import { DomainError, type Problem } from './errors.js';
import { EVENTS, fleetEventBatch, taskEventBatch } from './events.js';
import { parse } from './parse.js';
import type { Route } from './route.js';
import { ROUTES } from './routes.js';
import {
  assignRequest,
  backlogAnswer,
  backlogRequest,
  expireRequest,
  explainAnswer,
  explainRequest,
  fleetEntry,
  forgottenRequest,
  leaseAnswer,
  leaseRequest,
  placeAnswer,
  placeRequest,
  slotsHint,
  snapshotAnswer,
  snapshotRequest,
} from './service-protocol.js';
import {
  agentSubject,
  CALL_VERBS,
  HINT_SUBJECTS,
  placeSubject,
  SERVICE_SUBJECTS,
  TASK_VERBS,
} from './subjects.js';
import { callList, countTasks, listTasks } from './task-list.js';

const events = { taskEventBatch, fleetEventBatch };
const calls = { callAck, callCancel, callCreate, callGet, callInbox, callList, callRelease, callSpawn };
const agents = {
  ...calls,
  control,
  goodbye,
  heartbeat,
  hello,
  inboxAnswer,
  inboxDelivery,
  offer,
  offerAnswer,
  taskItems,
};
const fleet = {
  assignRequest,
  expireRequest,
  fleetEntry,
  forgottenRequest,
  slotsHint,
  snapshotAnswer,
  snapshotRequest,
};
const shards = { leaseAnswer, leaseRequest, placeAnswer, placeRequest };
const services = { ...fleet, ...shards, backlogAnswer, backlogRequest, explainAnswer, explainRequest };
const schemas = new Map<string, z.ZodType>([
  // What the route takes, and the filter that is read from it.
  ...Object.entries({ ...events, ...agents, ...services, countTasks, listTasks }),
  ...Object.entries(taskCommands).map(([verb, schema]) => [`taskCommands.${verb}`, schema] as const),
]);

const routes = new Map<string, Route>(
  Object.values(ROUTES).map((route: Route) => [`${route.method} ${route.path}`, route]),
);

function schemaOf({ name, schema: word = '', route = '' }: Fixture): z.ZodType {
  const asked = routes.get(route);
  const schema = schemas.get(word) ?? asked?.body ?? asked?.query;
  if (!schema) throw new Error(`the fixture ${name} names ${route || word}, which contracts does not have`);
  return schema;
}

function pointersOf(schema: z.ZodType, input: unknown): readonly string[] {
  try {
    parse(schema, input, 'message');
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return problemsOf(error).map(({ pointer }) => pointer);
  }
}

function problemsOf({ details }: DomainError): readonly Problem[] {
  return (details ?? {})['errors'] as readonly Problem[];
}

const messages = readFixtures('events', 'agent', 'service');
const requests = readFixtures('http');
const all = [...messages, ...requests];

describe('golden messages', () => {
  it('are there for every event, verb and subject', () => {
    const expected = [
      ...Object.keys(EVENTS),
      ...Object.values(SERVICE_SUBJECTS),
      placeSubject(42),
      HINT_SUBJECTS.fleet,
      HINT_SUBJECTS.slots,
      ...(['hello', 'heartbeat', 'goodbye', 'offer', 'control', 'inbox'] as const).map((verb) =>
        agentSubject[verb]('writer'),
      ),
      ...TASK_VERBS.map((verb) => agentSubject.task('writer', verb)),
      ...CALL_VERBS.map((verb) => agentSubject.call('writer', verb)),
    ];
    expect(new Set(messages.map(({ subject }) => subject))).toEqual(new Set(expected));
  });

  it.each(all)('$name is valid and stays the same when read, written and read again', (fixture) => {
    const schema = schemaOf(fixture);
    const first = parse(schema, fixture.message, fixture.name);
    expect(parse(schema, JSON.parse(JSON.stringify(first)), fixture.name)).toEqual(first);
  });

  it.each(messages)('$name loses nothing on the way', (fixture) => {
    expect(parse(schemaOf(fixture), fixture.message, fixture.name)).toMatchObject(fixture.message as object);
  });

  it.each(all)('$name is refused with a field left out or of another type, naming the place', (fixture) => {
    const schema = schemaOf(fixture);
    const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema;
    const broken = mutations(shape, fixture.message);
    const unnoticed = broken.filter(({ pointer, message }) => {
      const isNear = (place: string) => pointer.startsWith(place) || place.startsWith(pointer);
      return !pointersOf(schema, message).some(isNear);
    });
    expect(broken.length).toBeGreaterThan(0);
    expect(unnoticed).toEqual([]);
  });

  it.each(messages)('$name may carry fields of a later version, which are dropped', (fixture) => {
    const later = (value: unknown) => ({ ...(value as object), fieldOfLaterVersion: 1 });
    const message = Array.isArray(fixture.message) ? fixture.message.map(later) : later(fixture.message);
    const schema = schemaOf(fixture);
    expect(parse(schema, message, fixture.name)).toEqual(parse(schema, fixture.message, fixture.name));
  });

  it.each(requests)('$name is refused with a field nobody knows', (fixture) => {
    const message = { ...(fixture.message as object), titel: 'a typing error' };
    expect(() => parse(schemaOf(fixture), message, fixture.name)).toThrow(/titel/);
  });
});
