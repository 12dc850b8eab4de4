import { problemDocument, routeErrors, ROUTES, type Route } from '@baton/contracts';
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

function braces({ path }: Route): number {
  return path.split('{').length;
}
