import type { ServerResponse } from 'node:http';
import { ATTRIBUTES, beginSpan, isTracing, type OpenSpan } from '@baton/telemetry';
import { SpanStatusCode } from '@opentelemetry/api';
import { Histogram } from 'prom-client';

type Request = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly routeOptions: { readonly url?: string | undefined };
};
type Reply = { readonly raw: ServerResponse };
type Hook = (request: Request, reply: Reply, done: () => void) => void;

/** What is needed of a Fastify instance. */
type Served = { addHook(name: 'onRequest' | 'preHandler', hook: Hook): unknown };

const seconds = new Histogram({
  name: 'baton_http_request_duration_seconds',
  help: 'Time to answer requests over HTTP, to the last byte, by route',
  labelNames: ['method', 'route', 'status'] as const,
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
});

/** Measures every request by its route, and has each be a span of the trace its `traceparent` names, or of a new one. */
export function observeHttp(instance: Served): void {
  const open = new WeakMap<Request, OpenSpan>();
  instance.addHook('onRequest', (request, { raw }, done) => {
    const begunAt = performance.now();
    // Of few values: what no route takes is one of them, whatever was asked for.
    const route = request.routeOptions.url ?? 'none';
    const { method } = request;
    const begun = isTracing() ? begin(request, route) : undefined;
    if (begun !== undefined) open.set(request, begun);
    // Also comes where the client went away before the answer was sent.
    raw.once('close', () => {
      const status = raw.writableFinished ? raw.statusCode : 499;
      seconds.observe({ method, route, status }, (performance.now() - begunAt) / 1_000);
      if (begun?.span !== undefined) end(begun.span, status);
    });
    done();
  });
  // Not before: what reads the body of a request runs outside of what `onRequest` runs in.
  instance.addHook('preHandler', (request, _reply, done) => {
    const begun = open.get(request);
    if (begun === undefined) done();
    else begun.run(done);
  });
}

function begin({ method, url, headers }: Request, route: string): OpenSpan {
  const { traceparent } = headers;
  return beginSpan({
    name: `${method} ${route}`,
    kind: 'SERVER',
    of: () => [typeof traceparent === 'string' ? traceparent : undefined],
    isStart: true,
    attributes: () => ({
      [ATTRIBUTES.httpMethod]: method,
      [ATTRIBUTES.httpRoute]: route,
      [ATTRIBUTES.urlPath]: url.split('?', 1)[0] ?? url,
      [ATTRIBUTES.urlScheme]: 'http',
    }),
  });
}

function end(span: NonNullable<OpenSpan['span']>, status: number): void {
  span.setAttribute(ATTRIBUTES.httpStatus, status);
  if (status >= 500)
    span.setAttribute(ATTRIBUTES.errorType, String(status)).setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
