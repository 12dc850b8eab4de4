import type { FastifyReply } from 'fastify';

/** Aborted when the connection is closed or the answer is sent: nobody waits for it any more. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => gone.abort());
  return gone.signal;
}
