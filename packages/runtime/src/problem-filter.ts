import { DomainError, ERRORS, type ErrorCode } from '@baton/contracts';
import { activeTraceparent } from '@baton/telemetry';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Logger } from 'pino';

/** What the filter needs of an HTTP request and its reply, whatever serves them. */
type Request = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
};
type Reply = {
  status(code: number): Reply;
  header(name: string, value: string): Reply;
  send(body: unknown): unknown;
};

/** The only place that knows how errors look over HTTP: RFC 9457 problem documents. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    /** Gives errors of a service's libraries their place in the catalogue. */
    private readonly translate: (error: unknown) => unknown = (error) => error,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const reply = http.getResponse<Reply>();
    const refusal = toDomainError(this.translate(error), request);
    const { method, url } = request;
    if (refusal.status >= 500) this.logger.error({ err: error, method, url }, 'a request failed');
    if (refusal.retryAfterMs !== undefined) {
      reply.header('retry-after', String(Math.ceil(refusal.retryAfterMs / 1_000)));
    }
    if (refusal.status === 401) reply.header('www-authenticate', challengeOf(request));
    reply
      .status(refusal.status)
      .header('content-type', 'application/problem+json; charset=utf-8')
      .send(problem(refusal, request));
  }
}

/** How to show who one is (RFC 6750). */
function challengeOf({ headers }: Request): string {
  return headers['authorization'] === undefined
    ? 'Bearer realm="baton"'
    : 'Bearer realm="baton", error="invalid_token"';
}

function problem(error: DomainError, { url, headers }: Request) {
  const { code, message, details, retryable, retryAfterMs } = error.toBody();
  const { errors, ...rest } = details ?? {};
  const traceparent = activeTraceparent() ?? headers['traceparent'];
  return {
    type: `urn:baton:error:${code.toLowerCase()}`,
    title: ERRORS[code].title,
    status: error.status,
    detail: message,
    instance: url,
    code,
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(typeof traceparent === 'string' ? { traceId: traceparent.split('-')[1] } : {}),
    ...(errors === undefined ? {} : { errors }),
    ...(Object.keys(rest).length === 0 ? {} : { details: rest }),
  };
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'VALIDATION_FAILED',
  404: 'ROUTE_NOT_FOUND',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  503: 'UNAVAILABLE',
};

/** Errors of the framework (bad JSON, unknown route, body too large) get their place in the catalogue. */
function toDomainError(error: unknown, { method, url, headers }: Request): DomainError {
  if (error instanceof DomainError) return error;
  const status =
    error instanceof HttpException ? error.getStatus() : (error as { statusCode?: number })?.statusCode;
  const code = BY_STATUS[status ?? 500];
  if (code === undefined) {
    return new DomainError('INTERNAL', 'The request failed inside Baton; the log tells why', {
      cause: error,
    });
  }
  if (code === 'ROUTE_NOT_FOUND')
    return new DomainError(code, `There is no ${method} ${url}; see docs/rest.md`);
  if (code === 'UNSUPPORTED_MEDIA_TYPE') {
    const got = JSON.stringify(headers['content-type'] ?? 'none');
    return new DomainError(code, `Expected the header "content-type: application/json", got ${got}`);
  }
  return new DomainError(code, error instanceof Error ? error.message : String(error), { cause: error });
}
