import { z } from 'zod';
import type { ErrorCode } from './errors.js';

/** Sections of the REST API, in the order the documents show them. */
export const ROUTE_TAGS = {
  Tasks: 'Create, read, change and remove tasks.',
  Bulk: 'Many tasks at once.',
  Commands: 'What changes the state of a task: the same use cases as over NATS.',
  Reading: 'What happened to a task, and why.',
  Metrics: 'Figures of what happened; served by metrics-service.',
  Agents: 'Agents, what they hold and how they are connected.',
  Administration: 'Types, pauses, API keys.',
  Documents: 'What the API says of itself.',
} as const;

/** One operation of the REST API. `docs/openapi.json`, `/docs` and the tests of the edges come from these. */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Parameters in braces: `/v1/tasks/{id}`. */
  readonly path: string;
  readonly tag: keyof typeof ROUTE_TAGS;
  /** What it does, in a line without a full stop. */
  readonly summary: string;
  /** What a caller must know beside it. */
  readonly description?: string;
  /** A schema for each parameter of the path. */
  readonly params?: Readonly<Record<string, z.ZodType>>;
  readonly query?: z.ZodObject;
  /** Optional (`schema.optional()`) when the request may come without. */
  readonly body?: z.ZodType;
  /** What the request may say in headers, beside `traceparent`, and `Idempotency-Key` on a POST. */
  readonly requestHeaders?: readonly (keyof typeof REQUEST_HEADERS)[];
  /** What success answers, by status: a schema, or null for no body. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** What the answer is when it is not JSON. */
  readonly mediaType?: string;
  readonly answerHeaders?: readonly (keyof typeof ANSWER_HEADERS)[];
  /** Refusals of its own, beside those that follow from its form (`routeErrors`). */
  readonly errors: readonly ErrorCode[];
  /** Asks for no key: what proves the caller is in the body. */
  readonly isPublic?: true;
};

/** Headers of requests that mean something to Baton. */
export const REQUEST_HEADERS = {
  'If-Match': 'The version the caller read, as its `ETag`: changed since then, 412.',
  Prefer: '`wait=30`: answer when the task has ended, at most so many seconds later.',
  'Last-Event-ID': 'Go on behind this event.',
  'Idempotency-Key':
    'For 24 hours the same key with the same body gets the first answer; with another body, 422.',
  traceparent: 'W3C trace context; it travels with the task.',
} as const;

/** Headers of answers, and what they tell. */
export const ANSWER_HEADERS = {
  Location: 'Where the new thing is.',
  ETag: 'The version, for `If-Match`.',
  'Preference-Applied': '`wait=30`: the answer was held until the task ended, or so many seconds.',
  'Idempotency-Replayed': '`true`: this is the answer of the first request with the key.',
  'WWW-Authenticate': 'How to show who one is: `Bearer`, with an API key.',
  'Retry-After': 'Seconds to wait before the request is repeated.',
  RateLimit: 'How many requests are left (`r`), and the seconds until all are again (`t`).',
  'RateLimit-Policy': 'How many requests (`q`) may be made in so many seconds (`w`).',
} as const;

/** Everything a route may be refused with: its own errors, and those that follow from what it takes. */
export function routeErrors(route: Route): readonly ErrorCode[] {
  const { method, body, query, params, errors } = route;
  const takes = body ?? query ?? params;
  return [
    ...new Set<ErrorCode>([
      ...(isPublic(route) ? [] : (['UNAUTHENTICATED', 'FORBIDDEN'] as const)),
      ...(takes === undefined && method !== 'POST' ? [] : (['VALIDATION_FAILED'] as const)),
      ...(body === undefined ? [] : (['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const)),
      ...(method === 'POST' ? (['IDEMPOTENCY_MISMATCH'] as const) : []),
      ...errors,
      'RATE_LIMITED',
      'INTERNAL',
      'UNAVAILABLE',
    ]),
  ];
}

/** Whether a route is answered without a key: what the API says of itself, and what is proved in the body. */
export function isPublic({ tag, isPublic: isOpen }: Route): boolean {
  return isOpen === true || tag === 'Documents';
}

/** An answer in pages: `next` is the cursor of the page behind this one. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    data: z.array(item),
    page: z.object({ next: z.string().nullable(), hasMore: z.boolean() }),
  });
}
