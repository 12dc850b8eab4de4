import type { Server } from 'node:http';

/**
 * How long a client may take over HTTP, as options of a Fastify adapter. Head and body of a request must have come
 * within 10 s, the head within 5 s; looked at every 2 s. A connection on which nothing moves for 2 minutes, in either
 * direction, is closed: a client that does not read its answer. What waits on purpose (60 s) or beats (15 s) is not.
 */
export const HTTP_PATIENCE = {
  requestTimeout: 10_000,
  connectionTimeout: 120_000,
  http: { headersTimeout: 5_000, connectionsCheckingInterval: 2_000 },
} as const;

/** Connections beyond so many are closed at once. */
export function limitConnections({ server }: { readonly server: Server }, most: number): void {
  server.maxConnections = most;
}
