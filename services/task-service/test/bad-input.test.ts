import { MESSAGES, ROUTES, type Message, type Route } from '@baton/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asAdmin } from '@baton/testkit';
import type { z } from 'zod';
import { readFixtures } from '../../../packages/contracts/test/fixtures.js';
import { create, hello } from './agent.js';
import { badInputs, type BadInput } from './bad-values.js';
import { startFixture, type Fixture, type Json } from './fixture.js';

const AGENT = 'bad-input';
const ENROLMENT = ['enrolment_tokens', 'agent_enrolments', 'agent_credentials'];
let fixture: Fixture;
let taskId = '';
beforeAll(async () => {
  fixture = await startFixture();
  await hello(fixture, AGENT);
  taskId = await create(fixture);
});
afterAll(() => fixture.close());

const nameOf = ({ method, path }: Route) => `${method} ${path}`;
const examples = new Map(readFixtures('http').map(({ route, message }) => [route, message]));
const routes: readonly Route[] = Object.values(ROUTES);
const bodies = routes.flatMap((route) =>
  route.body === undefined ? [] : ([[nameOf(route), route, route.body]] as const),
);
const queries = routes.flatMap((route) =>
  route.query === undefined ? [] : ([[nameOf(route), route, route.query]] as const),
);
const parametrised = routes.filter(({ params = {} }) => Object.keys(params).length > 0);
const requests = Object.entries<Message>(MESSAGES).filter(
  ([, { from, answer }]) => from === 'agent' && answer !== undefined,
);

/** Everything that is stored, but for what tells of refusals. */
async function stored(): Promise<string> {
  const tables = [
    'tasks',
    'task_dependencies',
    'task_events',
    'task_progress',
    'task_usage',
    'task_logs',
    'task_artifacts',
    'task_checkpoints',
    'task_tags',
    'agents',
    'agent_connections',
  ];
  const more = [
    'operations',
    'agent_inbox',
    'idempotency_keys',
    'task_types',
    'settings',
    'api_keys',
    ...ENROLMENT,
  ];
  const sums = [...tables, ...more].map(
    (table) => `(SELECT md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), '')) FROM ${table} r)`,
  );
  const { rows } = await fixture.db.query(`SELECT concat_ws(' ', ${sums.join(', ')}) AS sum`);
  return rows[0].sum;
}

/** A path to things that are there. */
function pathOf({ path, params = {} }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => valueFor(params[name]));
}

function valueFor(schema: z.ZodType | undefined): string {
  const known = [AGENT, taskId];
  return known.find((value) => schema?.safeParse(value).success) ?? 'a';
}

/** What was not refused as it should be. */
type Miss = { readonly pointer: string; readonly what: string; readonly got: unknown };

function missOf({ pointer, what }: BadInput, status: number, code: string, errors: Json): readonly Miss[] {
  const places: readonly string[] = (errors ?? []).map((error: Json) => error.pointer);
  // A place inside what is wrong, or around it where alternatives are judged as a whole.
  const isNamed = places.some((place) => place.startsWith(pointer) || pointer.startsWith(place));
  if (status >= 400 && status < 500 && code === 'VALIDATION_FAILED' && isNamed) return [];
  return [{ pointer, what, got: { status, code, places } }];
}

/** Examples whose bad items would be answered one by one, or whose tables would be judged by the one field. */
function exampleOf(route: Route): unknown {
  const example = examples.get(nameOf(route));
  return route.path === '/v1/tasks/batch' ? { ...(example as object), atomic: true } : example;
}

describe('bad input over HTTP', () => {
  it.each(bodies)(
    '%s: every field, refused by its place, and nothing changed',
    async (_, route, schema) => {
      const inputs = badInputs(schema, exampleOf(route));
      expect(inputs.length).toBeGreaterThan(0);
      const before = await stored();
      const misses: Miss[] = [];
      for (const input of inputs) {
        const { status, body } = await fixture.http(route.method, pathOf(route), input.text);
        misses.push(...missOf(input, status, body?.code, body?.errors));
      }
      expect(misses).toEqual([]);
      expect(await stored()).toBe(before);
    },
    60_000,
  );

  it.each(queries)('%s: every field of the query', async (_, route, schema) => {
    const misses: Miss[] = [];
    const bad = ['\0', '', 'x'.repeat(5_000), '-1', '1e400', '[]', "'; DROP TABLE tasks; --"];
    for (const name of [...Object.keys(schema.shape), 'nobodyKnowsThis', '__proto__']) {
      for (const value of bad) {
        const query = `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
        const { status, body } = await fixture.http(route.method, `${pathOf(route)}?${query}`);
        const isKnown = Object.hasOwn(schema.shape, name);
        // Some of these are words that just match nothing, or make a filter that is not supported.
        if (status < 500 && isKnown && value !== '\0' && value.length < 5_000) continue;
        misses.push(
          ...missOf(
            { pointer: `/${name}`, what: value.slice(0, 30), text: '' },
            status,
            body?.code,
            body?.errors,
          ),
        );
      }
    }
    expect(misses).toEqual([]);
  });

  it('every parameter of a path: refused or not found, never a fault', async () => {
    const before = await stored();
    const bad = ['x%00', '%ED%A0%80', '..%2F..', "'", 'X'.repeat(300), taskId.toUpperCase(), `${taskId}0`];
    const misses: unknown[] = [];
    for (const route of parametrised) {
      const example = route.body === undefined ? undefined : exampleOf(route);
      for (const value of bad) {
        // A word for one is none for another.
        if (Object.values(route.params ?? {}).every((schema) => schema.safeParse(value).success)) continue;
        const path = route.path.replaceAll(/\{\w+\}/g, value);
        const response = await fetch(`${fixture.replicas[0]?.httpUrl}${path}`, {
          method: route.method,
          headers: { ...asAdmin, ...(example === undefined ? {} : { 'content-type': 'application/json' }) },
          ...(example === undefined ? {} : { body: JSON.stringify(example) }),
        });
        await response.text();
        const isRefused = response.status >= 400 && response.status < 500;
        if (!isRefused) misses.push({ route: nameOf(route), value, status: response.status });
      }
    }
    expect(misses).toEqual([]);
    expect(await stored()).toBe(before);
  }, 60_000);
});

describe('bad input over NATS', () => {
  const messages = new Map(readFixtures('agent').map(({ name, message }) => [name, message]));

  it.each(requests)(
    '%s: every field, refused by its place, and nothing changed',
    async (name, message) => {
      const inputs = badInputs(message.body, messages.get(name));
      expect(inputs.length).toBeGreaterThan(0);
      const subject = message.subject.replaceAll(/\{\w+\}/g, AGENT);
      const before = await stored();
      const misses: Miss[] = [];
      for (const input of inputs) {
        const { ok, error } = await fixture.ask(subject, input.text);
        misses.push(...missOf(input, ok === false ? 400 : 200, error?.code, error?.details?.errors));
      }
      expect(misses).toEqual([]);
      expect(await stored()).toBe(before);
    },
    60_000,
  );
});
