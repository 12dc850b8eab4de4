import { DomainError, LIMITS } from '@baton/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const BATCH = '/v1/tasks/batch';
/** How long one of them takes, about. */
const RETRY_AFTER_MS = 2_000;

/**
 * Lets the body of a batch be larger than others: as large as a thousand tasks with the longest descriptions are. Such
 * a one takes some ten times its size in memory while it is read and written, so a process takes one at a time and
 * asks others to come again; those of ordinary size are not counted.
 */
export function allowLargeBatches(instance: FastifyInstance): void {
  let isTaken = false;
  instance.addHook('onRoute', (route) => {
    if (route.url === BATCH) route.bodyLimit = LIMITS.batchBodyBytes;
  });
  instance.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.url !== BATCH || !mayBeLarge(request)) return done();
    if (isTaken) {
      const message = `One batch of more than ${LIMITS.httpBodyBytes} bytes is taken at a time; send it again, or smaller ones`;
      // Answered once it has come: cut off in the middle, its sender would not hear why.
      request.raw.resume();
      request.raw.once('end', () =>
        done(new DomainError('UNAVAILABLE', message, { retryAfterMs: RETRY_AFTER_MS })),
      );
      return;
    }
    isTaken = true;
    // Also when the client is gone before the answer.
    reply.raw.once('close', () => (isTaken = false));
    done();
  });
}

/** A body sent in chunks does not say how large it is. */
function mayBeLarge({ headers }: FastifyRequest): boolean {
  const length = headers['content-length'];
  return length === undefined || Number(length) > LIMITS.httpBodyBytes;
}
