import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { readFixtures, type Fixture } from '../test/fixtures.js';
import { mutations, type Schema } from '../test/mutations.js';
import { taskItems } from './agent-commands.js';
import { DomainError, type Problem } from './errors.js';
import { EVENTS, fleetEventBatch, taskEventBatch } from './events.js';
import { MESSAGES } from './messages.js';
import { parse } from './parse.js';
import type { Route } from './route.js';
import { ROUTES } from './routes.js';
import { countTasks, listTasks } from './task-list.js';

const named: Readonly<Record<string, z.ZodType>> = {
  taskItems,
  taskEventBatch,
  fleetEventBatch,
  // What the route takes, and the filter that is read from it.
  countTasks,
  listTasks,
};

const routes = new Map<string, Route>(
  Object.values(ROUTES).map((route: Route) => [`${route.method} ${route.path}`, route]),
);

function schemaOf({ name, schema: word = '', route = '' }: Fixture): z.ZodType {
  // `call.answer` is a message of its own, `offer.answer` is what an offer is answered with.
  const ofMessage = MESSAGES[name]?.body ?? MESSAGES[name.replace(/\.answer$/, '')]?.answer;
  const asked = routes.get(route);
  const schema = named[word] ?? ofMessage ?? asked?.body ?? asked?.query;
  if (!schema) throw new Error(`the fixture ${name} is of nothing that contracts has`);
  return schema;
}

/** `agent.{agentId}.hello` stands for `agent.writer.hello`. */
function isOf(pattern: string, subject = ''): boolean {
  return new RegExp(`^${pattern.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^.]+')}$`).test(subject);
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
  it('are there for every event and message, and of nothing else', () => {
    const expected = [...Object.keys(EVENTS).map((type) => `events/${type}`), ...Object.keys(MESSAGES)];
    const names = messages.map(({ name }) => (name in MESSAGES ? name : name.replace(/\.answer$/, '')));
    expect(new Set(names)).toEqual(new Set([...expected, 'agent/task.items']));
  });

  it.each(Object.entries(MESSAGES))('%s is on its subject', (name, { subject }) => {
    const own = messages.filter((fixture) => fixture.name === name);
    expect(own.map((fixture) => isOf(subject, fixture.subject))).toEqual([true]);
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
