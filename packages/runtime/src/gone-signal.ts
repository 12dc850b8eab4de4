import type { ServerResponse } from 'node:http';

/** Aborted when the connection is closed or the answer is sent: nobody waits for it any more. */
export function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}
