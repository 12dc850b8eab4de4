import type { Actor, Role } from '@baton/contracts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes it; not on routes that anyone may ask. */
    principal?: Principal;
  }
}

/** Who makes a request, as its key or token proved. */
export type Principal = {
  /** As histories and the audit name them. */
  readonly actor: Actor;
  readonly role: Role;
  /** Of role `agent`: which one. */
  readonly agentId?: string;
  /** The key that was shown, where it is one of the table. */
  readonly keyId?: string;
};
