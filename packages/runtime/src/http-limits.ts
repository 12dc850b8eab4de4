import type { Server } from 'node:http';
import type { Socket } from 'node:net';

type ClientError = Error & { readonly code?: string };

/**
 * How long a client may take over HTTP, as options of a Fastify adapter. Head and body of a request must have come
 * within 10 s, the head within 5 s; looked at every 2 s. A connection on which nothing moves for 2 minutes, in either
 * direction, is closed: a client that does not read its answer. What waits on purpose (60 s) or beats (15 s) is not.
 */
export const HTTP_PATIENCE = {
  requestTimeout: 10_000,
  connectionTimeout: 120_000,
  http: { headersTimeout: 5_000, connectionsCheckingInterval: 2_000 },
  clientErrorHandler: endBadConnection,
} as const;

/**
 * Node counts the time for the head from the beginning of a connection. But clients open some in advance (`fetch` of
 * Node does, after each answer that ends one): a 408 there would be taken for the answer of the first request that is
 * just being sent. One on which nothing came stays, until two minutes have passed.
 */
function endBadConnection(error: ClientError, socket: Socket): void {
  const status = STATUSES[error.code ?? ''] ?? '400 Bad Request';
  if (status === LATE && socket.bytesRead === 0) return;
  if (socket.writable) {
    socket.write(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  }
  socket.destroy(error);
}

const LATE = '408 Request Timeout';
const STATUSES: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: LATE,
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/** Connections beyond so many are closed at once. */
export function limitConnections({ server }: { readonly server: Server }, most: number): void {
  server.maxConnections = most;
}
