import { hash } from 'node:crypto';
import { DomainError, idempotencyKey, traceparent } from '@baton/contracts';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../tasks/task.service.js';

/** Whoever speaks HTTP; accounts and keys come with the authorisation table. */
const ACTOR = 'user:local';

/** The caller of a request, with its trace context and idempotency key. */
export const RequestCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const parent = traceparent.safeParse(request.headers['traceparent']);
  const { 'content-length': length } = request.headers;
  const bytes = length === undefined ? JSON.stringify(request.body ?? null).length : Number(length);
  const key = keyOf(request);
  return {
    actor: ACTOR,
    traceparent: parent.success ? parent.data : null,
    bytes,
    ...(key === undefined ? {} : { idempotency: { scope: ACTOR, key, fingerprint: fingerprint(request) } }),
  };
});

/** Quoted, as a structured field, or bare. */
function keyOf({ headers }: FastifyRequest): string | undefined {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  const parsed = idempotencyKey.safeParse(String(header).replace(/^"(.*)"$/, '$1'));
  if (parsed.success) return parsed.data;
  const detail = 'expected 1 to 255 visible ASCII characters';
  throw new DomainError('VALIDATION_FAILED', `Header Idempotency-Key: ${detail}`, {
    details: { errors: [{ pointer: '/headers/idempotency-key', code: 'header', detail }] },
  });
}

/** What a repeated request must have in common with the first: method, path and body. */
function fingerprint({ method, url, body }: FastifyRequest): string {
  return hash('sha256', `${method} ${url}\n${JSON.stringify(body ?? null)}`, 'base64url');
}
