import { hash } from 'node:crypto';
import { DomainError, idempotencyKey, traceparent, type Principal } from '@baton/contracts';
import { activeTraceparent } from '@baton/telemetry';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../tasks/task.service.js';

/** Who makes a request. */
export const RequestPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal =>
  principalOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** The caller of a request, with its trace context and idempotency key. */
export const RequestCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const parent = traceparent.safeParse(request.headers['traceparent']);
  const { 'content-length': length } = request.headers;
  const bytes = length === undefined ? JSON.stringify(request.body ?? null).length : Number(length);
  const key = keyOf(request);
  const { actor } = principalOf(request);
  const ifVersions = versionsOf(request);
  return {
    actor,
    traceparent: activeTraceparent() ?? (parent.success ? parent.data : null),
    bytes,
    ...(ifVersions === undefined ? {} : { ifVersions }),
    ...(key === undefined ? {} : { idempotency: { scope: actor, key, fingerprint: fingerprint(request) } }),
  };
});

function principalOf({ principal, method, url }: FastifyRequest): Principal {
  if (principal === undefined) throw new Error(`nobody is known to make ${method} ${url}, which is public`);
  return principal;
}

/** Quoted, as a structured field, or bare. */
function keyOf({ headers }: FastifyRequest): string | undefined {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  const parsed = idempotencyKey.safeParse(String(header).replace(/^"(.*)"$/, '$1'));
  if (parsed.success) return parsed.data;
  throw badHeader('Idempotency-Key', 'expected 1 to 255 visible ASCII characters');
}

/** `If-Match`: the versions it names (a tag of another kind matches none); `*` stands for any there is. */
function versionsOf({ headers }: FastifyRequest): readonly number[] | undefined {
  const header = headers['if-match'];
  if (header === undefined || header.trim() === '*') return undefined;
  const tags = header.split(',').map((tag) => tag.trim());
  if (!tags.every((tag) => /^(W\/)?"[^"]*"$/.test(tag))) {
    throw badHeader('If-Match', `expected an ETag such as "v3", got ${header}`);
  }
  return tags.flatMap((tag) => (/^"v\d{1,9}"$/.test(tag) ? [Number(tag.slice(2, -1))] : []));
}

function badHeader(name: string, detail: string): DomainError {
  return new DomainError('VALIDATION_FAILED', `Header ${name}: ${detail}`, {
    details: { errors: [{ pointer: `/headers/${name.toLowerCase()}`, code: 'header', detail }] },
  });
}

/** What a repeated request must have in common with the first: method, path and body. */
function fingerprint({ method, url, body }: FastifyRequest): string {
  return hash('sha256', `${method} ${url}\n${JSON.stringify(body ?? null)}`, 'base64url');
}
