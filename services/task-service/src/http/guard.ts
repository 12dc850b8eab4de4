import {
  ACCESS,
  actionOfRoute,
  DomainError,
  mayDo,
  parse,
  uuid,
  type Access,
  type Action,
  type Principal,
} from '@baton/contracts';
import { guardRoutes } from '@baton/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access as AccessParts } from '../access/access.js';
import type { AccessService } from '../access/access.service.js';
import type { Config } from '../config.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes it; not on routes that anyone may ask. */
    principal?: Principal;
  }
}

type Guard = {
  readonly access: Pick<AccessParts, 'tokens' | 'service'>;
  readonly config: Config;
  /** Told of what people were refused. */
  readonly onRefusal: (principal: Principal, request: FastifyRequest) => void;
};

/** Lets requests in as the table of access says, and agents with a key only as far as over NATS. */
export function guardApi(instance: FastifyInstance, { access, config, onRefusal }: Guard): void {
  const { tokens, service } = access;
  guardRoutes<FastifyRequest>(instance, {
    authentication: tokens.authentication,
    actionOf: actionOfRoute,
    rates: config,
    authorize: (principal, action, request) => {
      if (principal.agentId !== undefined) return expectAgent(service, principal.agentId, action, request);
      if (mayDo(action, principal.role)) return;
      onRefusal(principal, request);
      throw new DomainError(
        'FORBIDDEN',
        `A key of role ${principal.role} may not do this (${action}); docs/authorization.md tells who may`,
      );
    },
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
