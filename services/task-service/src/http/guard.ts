import {
  ACCESS,
  actionOfRoute,
  DomainError,
  mayDo,
  parse,
  uuid,
  type Access,
  type Action,
} from '@baton/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AccessService } from '../access/access.service.js';
import type { Authentication } from '../access/authentication.service.js';
import type { Principal } from '../access/principal.js';

type Guard = {
  readonly authentication: Authentication;
  readonly access: AccessService;
  /** Told of what people were refused. */
  readonly onRefusal: (principal: Principal, request: FastifyRequest) => void;
};

/**
 * Lets a request in only where the table of access says so, before anything of its body is read. Goes by the route that
 * was found, not by what the path looks like. A route the table does not know ends the start of the service.
 */
export function guardRoutes(instance: FastifyInstance, { authentication, access, onRefusal }: Guard): void {
  const actions = new Map<string, Action>();
  instance.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) {
      // HEAD is served along with GET, and guarded alike.
      const asked = one === 'HEAD' ? 'GET' : one;
      actions.set(`${one} ${url}`, actionOfRoute(asked, url.replace(/:(\w+)/g, '{$1}')));
    }
  });
  instance.addHook('onRequest', async (request) => {
    const { url } = request.routeOptions;
    // No route: answered so whoever asks.
    if (url === undefined) return;
    const action = actions.get(`${request.method} ${url}`);
    if (action === undefined) throw new Error(`no action is known of ${request.method} ${url}`);
    const { isPublic }: Access = ACCESS[action];
    if (isPublic) return;
    const principal = await authentication.principalOf(request.headers.authorization);
    request.principal = principal;
    if (principal.agentId !== undefined) return expectAgent(access, principal.agentId, action, request);
    if (mayDo(action, principal.role)) return;
    onRefusal(principal, request);
    throw new DomainError(
      'FORBIDDEN',
      `A key of role ${principal.role} may not do this (${action}); docs/authorization.md tells who may`,
    );
  });
  instance.addHook('preHandler', (request, _reply, done) => done(refuseOtherHolder(request)));
}

/** An agent by HTTP: what it may do with a task hangs on its relation to it, as over NATS. */
async function expectAgent(
  access: AccessService,
  agentId: string,
  action: Action,
  { params }: FastifyRequest,
): Promise<void> {
  const { agents }: Access = ACCESS[action];
  if (agents === undefined) {
    throw new DomainError('FORBIDDEN', `Agent ${agentId} may not do this over HTTP (${action})`);
  }
  if (agents === 'itself') return;
  const { id, other } = params as { readonly id?: string; readonly other?: string };
  await access.expectAgent(agentId, action, parse(uuid, id, 'Task id'));
  // Nothing is read of a task by depending on it.
  if (other !== undefined) await access.expectAgent(agentId, 'task.read', parse(uuid, other, 'Task id'));
}

/** A body that speaks for a holder names it: an agent speaks for itself alone. */
function refuseOtherHolder({ principal, body }: FastifyRequest): DomainError | undefined {
  if (principal?.agentId === undefined || typeof body !== 'object' || body === null) return undefined;
  const named = 'agentId' in body ? body.agentId : principal.agentId;
  if (named === principal.agentId) return undefined;
  return new DomainError('FORBIDDEN', `Agent ${principal.agentId} may not speak for another one`);
}
