import { Socket } from 'node:net';

/**
 * The `stream` of a Postgres client whose server answers every statement within `silentMs`: after as long a silence
 * the connection is half open (the server paused or gone) and is cut. pg's own query_timeout fails the query alone and
 * gives the dead connection back to its pool. Connections must not be kept idle for as long.
 */
export function impatientSocket(silentMs: number): () => Socket {
  return () => {
    const socket = new Socket();
    socket.setTimeout(silentMs, () => {
      socket.destroy(new Error('timeout: the server has not answered'));
    });
    return socket;
  };
}
