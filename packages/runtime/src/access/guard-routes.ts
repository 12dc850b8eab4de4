import { ACCESS, type Access, type Action, type Principal } from '@baton/contracts';
import { createRateLimit, expectAllowed, type Allowance } from '../rate-limit.js';
import type { Authentication } from './authentication.js';

type Request = {
  readonly method: string;
  readonly ip: string;
  readonly headers: { readonly authorization?: string | undefined };
  readonly params: unknown;
  readonly routeOptions: { readonly url?: string | undefined };
  principal?: Principal;
};
type Reply = { header(name: string, value: string): unknown };

/** What is needed of a Fastify instance. */
type Guarded<R extends Request> = {
  addHook(
    name: 'onRoute',
    hook: (route: { readonly method: string | string[]; readonly url: string }) => void,
  ): unknown;
  addHook(name: 'onRequest', hook: (request: R, reply: Reply) => Promise<void>): unknown;
};

type Guard<R extends Request> = {
  readonly authentication: Authentication;
  /** What a route does, by its path as the registry writes it; throws for one that has no entry. */
  readonly actionOf: (method: string, path: string) => Action;
  /** Throws where the table of access does not let them. */
  readonly authorize: (principal: Principal, action: Action, request: R) => Promise<void> | void;
  /** Requests a second. */
  readonly rates: { readonly BATON_RATE_KEY: number; readonly BATON_RATE_ADDRESS: number };
};

/**
 * Lets a request in only where the table of access says so and as often as may be, before anything of its body is read.
 * Goes by the route that was found, not by what the path looks like. A route the table does not know ends the start of
 * the service. Whoever is not known yet is counted by its address, which is that of the connection: what a header
 * claims of it (`X-Forwarded-For`) is not heard.
 */
export function guardRoutes<R extends Request>(
  instance: Guarded<R>,
  { authentication, actionOf, authorize, rates }: Guard<R>,
): void {
  const actions = new Map<string, Action>();
  const byKey = createRateLimit({ name: 'key', perSecond: rates.BATON_RATE_KEY });
  const byAddress = createRateLimit({ name: 'address', perSecond: rates.BATON_RATE_ADDRESS });
  instance.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) {
      // HEAD is served along with GET, and guarded alike.
      const asked = one === 'HEAD' ? 'GET' : one;
      actions.set(`${one} ${url}`, actionOf(asked, url.replace(/:(\w+)/g, '{$1}')));
    }
  });
  instance.addHook('onRequest', async (request, reply) => {
    const { url } = request.routeOptions;
    const countAddress = () => expectTold(byAddress.take(request.ip), reply);
    // No route: answered so whoever asks.
    if (url === undefined) return countAddress();
    const action = actions.get(`${request.method} ${url}`);
    if (action === undefined) throw new Error(`no action is known of ${request.method} ${url}`);
    const { isPublic }: Access = ACCESS[action];
    if (isPublic) return countAddress();
    const principal = await authentication.principalOf(request.headers.authorization, countAddress);
    expectTold(byKey.take(principal.keyId ?? principal.actor), reply);
    request.principal = principal;
    await authorize(principal, action, request);
  });
}

/** Tells what is left as soon as less than half is, so that a client may slow down in time. */
function expectTold(allowance: Allowance | undefined, reply: Reply): void {
  if (allowance === undefined) return;
  const { policy, quota, windowSeconds, remaining, resetSeconds } = allowance;
  if (remaining < quota / 2) {
    reply.header('ratelimit-policy', `"${policy}";q=${quota};w=${windowSeconds}`);
    reply.header('ratelimit', `"${policy}";r=${remaining};t=${resetSeconds}`);
  }
  expectAllowed(allowance);
}
