import type { FastifyReply } from 'fastify';

/** Tells that an answer is that of an earlier request with the same `Idempotency-Key`. */
export function markReplayed(reply: FastifyReply, replayed: boolean): void {
  if (replayed) void reply.header('idempotency-replayed', 'true');
}
