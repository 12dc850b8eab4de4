import { DomainError, ERRORS } from '@baton/contracts';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';

/** Answers every error as an RFC 9457 problem document with the code of the catalogue. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const problem = toDomainError(error, request);
    if (problem.status >= 500) this.logger.error({ err: error, url: request.url }, 'a request failed');
    const reply = http.getResponse<FastifyReply>();
    if (problem.retryAfterMs !== undefined) void reply.header('retry-after', Math.ceil(problem.retryAfterMs / 1_000));
    void reply
      .status(problem.status)
      .header('content-type', 'application/problem+json; charset=utf-8')
      .send(JSON.stringify(toDocument(problem)));
  }
}

function toDomainError(error: unknown, request: FastifyRequest): DomainError {
  if (error instanceof DomainError) return error;
  if (error instanceof HttpException && error.getStatus() === 404) {
    return new DomainError('ROUTE_NOT_FOUND', `There is no ${request.method} ${request.url}.`);
  }
  if (error instanceof HttpException && error.getStatus() < 500) {
    return new DomainError('VALIDATION_FAILED', error.message);
  }
  return new DomainError('INTERNAL', 'The request could not be answered; the log of metrics-service says why.');
}

function toDocument(error: DomainError) {
  const { title } = ERRORS[error.code];
  const errors = error.details?.['errors'];
  return {
    type: `urn:baton:error:${error.code}`,
    title,
    status: error.status,
    detail: error.message,
    code: error.code,
    retryable: error.retryable,
    ...(errors === undefined ? {} : { errors }),
  };
}
