import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** What is needed of a Fastify instance. */
type Served = {
  readonly server: Server;
  addHook(
    name: 'onSend',
    hook: (
      request: unknown,
      reply: { header(name: string, value: string): unknown },
      payload: unknown,
      done: () => void,
    ) => void,
  ): unknown;
};

const LOOK_MS = 250;
const HALF_SENT_MS = 5_000;

/**
 * Gives a function to be called just before the server is closed, so that its close ends when the last request is
 * answered. By itself it would wait for three kinds of connections until their clients give them up: those whose
 * request was being answered (from now on every answer ends its connection), those opened in advance, on which nothing
 * was ever asked (they are cut), and those whose request came only in part (they have `halfSentMs` for the rest: a
 * server that closes no longer heeds its own requestTimeout).
 */
export function prepareHttpEnd(instance: Served, halfSentMs: number = HALF_SENT_MS): () => void {
  const { server } = instance;
  const latest = new Map<Socket, IncomingMessage | undefined>();
  let isEnding = false;
  server.on('connection', (socket) => {
    latest.set(socket, undefined);
    socket.once('close', () => latest.delete(socket));
  });
  server.on('request', (request) => latest.set(request.socket, request));
  instance.addHook('onSend', (_request, reply, _payload, done) => {
    if (isEnding) reply.header('connection', 'close');
    done();
  });
  return () => {
    isEnding = true;
    const endedAt = performance.now();
    const cutting = setInterval(() => {
      const isOver = performance.now() - endedAt > halfSentMs;
      for (const [socket, request] of latest) {
        if (request === undefined || (isOver && !request.complete)) socket.destroy();
      }
    }, LOOK_MS);
    server.once('close', () => clearInterval(cutting));
  };
}
