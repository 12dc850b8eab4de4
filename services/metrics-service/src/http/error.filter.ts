import { DomainError, ERRORS } from '@baton/contracts';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';

/** The only place that knows how errors look over HTTP: RFC 9457 problem documents. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const refusal = toDomainError(error, request);
    if (refusal.status >= 500) this.logger.error({ err: error, url: request.url }, 'a request failed');
    if (refusal.retryAfterMs !== undefined) {
      void reply.header('retry-after', String(Math.ceil(refusal.retryAfterMs / 1_000)));
    }
    void reply
      .status(refusal.status)
      .header('content-type', 'application/problem+json; charset=utf-8')
      .send(problem(refusal, request));
  }
}

function toDomainError(error: unknown, { method, url }: FastifyRequest): DomainError {
  if (error instanceof DomainError) return error;
  const status = error instanceof HttpException ? error.getStatus() : 500;
  if (status === 404) return new DomainError('ROUTE_NOT_FOUND', `There is no ${method} ${url}`);
  if (status < 500) return new DomainError('VALIDATION_FAILED', String(error));
  return new DomainError('INTERNAL', 'The request failed inside Baton; the log tells why', { cause: error });
}

function problem(error: DomainError, { url, headers }: FastifyRequest) {
  const { code, message } = error.toBody();
  const errors = error.details?.['errors'];
  return {
    type: `https://baton.dev/errors#${code.toLowerCase()}`,
    title: ERRORS[code].title,
    status: error.status,
    detail: message,
    instance: url,
    code,
    retryable: error.retryable,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(typeof headers['traceparent'] === 'string' ? { traceId: headers['traceparent'].split('-')[1] } : {}),
    ...(errors === undefined ? {} : { errors }),
  };
}
