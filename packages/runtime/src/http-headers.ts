/** What is needed of a Fastify instance. */
type Served = {
  addHook(
    name: 'onRequest',
    hook: (
      request: unknown,
      reply: { headers(values: Readonly<Record<string, string>>): unknown },
      done: () => void,
    ) => void,
  ): unknown;
};

/**
 * For every answer: no browser takes it for anything but what it says it is, shows it in a frame, runs a script of it,
 * keeps it, or lets another site read it. There are no CORS headers: pages of other origins cannot use the API.
 */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** Sends them with every answer, unless the route says something else. */
export function sendSecurityHeaders(instance: Served): void {
  instance.addHook('onRequest', (_request, reply, done) => {
    reply.headers(HEADERS);
    done();
  });
}
