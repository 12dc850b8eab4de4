import { isSpanContextValid, type Link, type SpanContext } from '@opentelemetry/api';

/** A W3C `traceparent`, or none. */
export type Traceparent = string | null | undefined;

const FORM = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** What a `traceparent` says; undefined when there is none, or it is malformed. */
export function spanContextOf(traceparent: Traceparent): SpanContext | undefined {
  const [, traceId, spanId, flags] = FORM.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(spanContext) ? spanContext : undefined;
}

/** A span context as it travels. */
export function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** Links to every sampled context among them, each once. */
export function linksTo(traceparents: Iterable<Traceparent>): Link[] {
  return [...new Set(traceparents)].flatMap((traceparent) => {
    const context = spanContextOf(traceparent);
    return context !== undefined && isSampled(context) ? [{ context }] : [];
  });
}

/** Whether the trace is recorded. */
export function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & 1) === 1;
}

/**
 * The contexts that serialised JSON carries under `traceparent`. By its text, because it was made of many pieces that
 * are not at hand any more: inside a JSON string the quotes would be escaped, so nobody can feign one there.
 */
export function contextsIn(json: string): readonly string[] {
  return [...json.matchAll(/"traceparent":"([0-9a-f-]{55})"/g)].map(([, traceparent]) => traceparent ?? '');
}
