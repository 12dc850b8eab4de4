import 'reflect-metadata';
import { ROUTES, type Route } from '@baton/contracts';
import { describe, expect, it } from '@jest/globals';
import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { AppModule } from '../app.module.js';
import type { Services } from '../services.js';

const documented = Object.values(ROUTES).map(({ method, path }: Route) => `${method} ${path}`);
const { controllers = [] } = AppModule.of({} as Services);
const served = controllers.flatMap((controller) => routesOf(controller));

/** What Nest serves for a controller, written as the registry writes it. */
function routesOf(controller: Type): readonly string[] {
  const base: unknown = Reflect.getMetadata(PATH_METADATA, controller);
  const { prototype } = controller as { prototype: Record<string, object> };
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    if (handler === undefined) return [];
    const method: RequestMethod | undefined = Reflect.getMetadata(METHOD_METADATA, handler);
    if (method === undefined) return [];
    const paths: readonly string[] = [Reflect.getMetadata(PATH_METADATA, handler)].flat();
    return paths.map((own) => {
      const path = [base, own].filter((part) => part !== '/').join('/');
      return `${RequestMethod[method]} /${path.replace(/:(\w+)/g, '{$1}')}`;
    });
  });
}

describe('the registry of routes', () => {
  it('has an entry (packages/contracts/src/*.routes.ts) for every route that is served', () => {
    expect(served.filter((route) => !documented.includes(route))).toEqual([]);
  });

  it('has no entry that is not served', () => {
    expect(served.length).toBeGreaterThan(10);
    expect(documented.filter((route) => !served.includes(route))).toEqual([]);
  });
});
