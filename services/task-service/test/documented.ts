import {
  messageErrors,
  MESSAGES,
  problemDocument,
  refusal,
  routeErrors,
  ROUTES,
  type Message,
  type Route,
} from '@baton/contracts';
import { expect } from '@jest/globals';

type Known = { readonly id: string; readonly route: Route; readonly pattern: RegExp };

// Literal paths before those with parameters: `/v1/tasks/batch` is no task.
const known: readonly Known[] = Object.entries(ROUTES)
  .map(([id, route]: [string, Route]) => ({
    id,
    route,
    pattern: new RegExp(`^${route.path.replace(/\{\w+\}/g, '[^/]+')}$`),
  }))
  .toSorted((one, other) => braces(one.route) - braces(other.route));

/** Fails when an answer is not one that `docs/openapi.json` tells of: its status, its fields, the code of a refusal. */
export function expectDocumented(method: string, path: string, status: number, body: unknown): void {
  const [pathname = ''] = path.split('?');
  const found = known.find(({ route, pattern }) => route.method === method && pattern.test(pathname));
  const { id, route } = found ?? { id: `no route ${method} ${pathname}`, route: undefined };
  if (status >= 400) {
    const problem = problemDocument.strict().parse(body);
    const codes: readonly string[] = route ? routeErrors(route) : ['ROUTE_NOT_FOUND'];
    expect({ id, code: codes }).toEqual({ id, code: expect.arrayContaining([problem.code]) });
    return;
  }
  const schema = route?.answers[status];
  expect({ id, documented: Object.keys(route?.answers ?? {}) }).toEqual({
    id,
    documented: expect.arrayContaining([String(status)]),
  });
  // Fields that the schema does not know are missing from what it parses.
  expect({ id, body: schema?.parse(body) }).toEqual({ id, body });
}

const messages = Object.entries(MESSAGES).map(([name, message]) => ({
  name,
  message,
  pattern: new RegExp(`^${message.subject.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^.]+')}$`),
}));

/** The same for an answer over NATS, and `docs/asyncapi.json`. */
export function expectSpoken(subject: string, answer: unknown): void {
  const found = messages.find(({ pattern }) => pattern.test(subject));
  if (found === undefined) throw new Error(`MESSAGES has nothing on ${subject}`);
  const { name, message } = found;
  const isBatch =
    message.group === 'command' && typeof answer === 'object' && answer !== null && 'items' in answer;
  for (const one of isBatch ? (answer.items as readonly unknown[]) : [answer])
    expectAnswer(name, message, one);
}

function expectAnswer(name: string, message: Message, answer: unknown): void {
  for (const { error } of refusalsIn(answer)) {
    expect({ name, errors: messageErrors(message) }).toEqual({
      name,
      errors: expect.arrayContaining([error.code]),
    });
  }
  if (!refusal.safeParse(answer).success) {
    expect({ name, answer: message.answer?.parse(answer) }).toEqual({ name, answer });
  }
}

/** The request's own, or those of its items. */
function refusalsIn(answer: unknown) {
  const { items } = answer as { items?: readonly unknown[] };
  return [answer, ...(items ?? [])].flatMap((one) => refusal.safeParse(one).data ?? []);
}

function braces({ path }: Route): number {
  return path.split('{').length;
}
