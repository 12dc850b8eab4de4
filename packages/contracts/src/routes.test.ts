import { describe, expect, it } from '@jest/globals';
import { readFixtures } from '../test/fixtures.js';
import type { Route } from './route.js';
import { ROUTES } from './routes.js';

const routes: readonly (readonly [string, Route])[] = Object.entries(ROUTES);
const nameOf = ({ method, path }: Route) => `${method} ${path}`;

describe('the registry of routes', () => {
  it('has every route once', () => {
    const names = routes.map(([, route]) => nameOf(route));
    expect(names).toEqual([...new Set(names)]);
  });

  it.each(routes)('%s says all that the documents need', (_, route) => {
    const { path, params = {}, query, body, summary, method, answers } = route;
    expect(path).toMatch(/^\/[a-z0-9{}\-./]+$/i);
    expect([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)).toEqual(Object.keys(params));
    expect(summary).toMatch(/^[A-Z].{8,110}[^.]$/);
    expect(method === 'GET' && body !== undefined).toBe(false);
    expect(method !== 'GET' && query !== undefined).toBe(false);
    const statuses = Object.keys(answers).map(Number);
    expect(statuses.length).toBeGreaterThan(0);
    expect(statuses.every((status) => status >= 200 && status < 300)).toBe(true);
  });

  it('has an example, among the fixtures, for every body', () => {
    const shown = new Set(readFixtures('http').map(({ route }) => route));
    const missing = routes.filter(([, route]) => route.body !== undefined && !shown.has(nameOf(route)));
    expect(
      missing.map(([id, route]) => `${id}: packages/contracts/fixtures/http, "${nameOf(route)}"`),
    ).toEqual([]);
  });
});
