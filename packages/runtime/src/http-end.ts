import type { Server } from 'node:http';
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

const SILENT_MS = 250;

/**
 * Gives a function to be called just before the server is closed, so that its close ends when the last request is
 * answered. By itself it would wait for two kinds of connections until their clients give them up: those whose request
 * was being answered (from now on every answer ends its connection), and those opened in advance, on which nothing was
 * ever asked (they are cut).
 */
export function prepareHttpEnd(instance: Served): () => void {
  const { server } = instance;
  const silent = new Set<Socket>();
  let isEnding = false;
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }) => silent.delete(socket));
  instance.addHook('onSend', (_request, reply, _payload, done) => {
    if (isEnding) reply.header('connection', 'close');
    done();
  });
  return () => {
    isEnding = true;
    const cutting = setInterval(() => silent.forEach((socket) => socket.destroy()), SILENT_MS);
    server.once('close', () => clearInterval(cutting));
  };
}
