import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
} from '@opentelemetry/api';
import { isSampled, linksTo, spanContextOf, type Traceparent } from './trace-context.js';
import { isTracing } from './tracing.js';

/** A span that is made only where its task is traced. */
export type SpanPlan = {
  /** Of few different values. */
  readonly name: string;
  /** Default: `INTERNAL`. */
  readonly kind?: keyof typeof SpanKind;
  /** What the span is caused by, when that is known beside `of`: a message that carries many. */
  readonly parent?: Traceparent;
  /** The contexts of all that is worked on. One and the same is the parent; of several each is linked. */
  readonly of?: () => readonly Traceparent[];
  /** What is related besides: earlier attempts. */
  readonly links?: () => readonly Traceparent[];
  readonly attributes?: () => Attributes;
  /** Where there is no context, a trace begins here; otherwise there is no span then. */
  readonly isStart?: true;
};

/** A span that has begun, or the place where it would be. */
export type OpenSpan = {
  /** Undefined where the task is not traced. */
  readonly span: Span | undefined;
  /** Runs what belongs into it. */
  readonly run: <T>(work: () => T) => T;
};

/**
 * Runs `work` in a span, which ends as it does. Its parent is never the span this happens to be called in, unless that
 * is what `parent` or `of` say: what gathers the work of many runs wherever the first of them left it.
 */
export function inSpan<T>(plan: SpanPlan, work: (span: Span | undefined) => Promise<T>): Promise<T> {
  if (!isTracing()) return work(undefined);
  const { span, run } = beginSpan(plan);
  return run(() => (span === undefined ? work(undefined) : settle(span, work)));
}

/** As `inSpan`, for what ends elsewhere: whoever begins it ends its span. */
export function beginSpan(plan: SpanPlan): OpenSpan {
  if (!isTracing()) return { span: undefined, run: (work) => work() };
  const { base, links, isRecorded } = place(plan);
  if (!isRecorded) return { span: undefined, run: (work) => context.with(base, work) };
  const { name, kind = 'INTERNAL', attributes } = plan;
  const span = trace.getTracer('baton').startSpan(name, { kind: SpanKind[kind], links }, base);
  // Attributes cost more than the rest, and most spans are not recorded.
  if (span.isRecording() && attributes !== undefined) span.setAttributes(attributes());
  const inside = trace.setSpan(base, span);
  return { span, run: (work) => context.with(inside, work) };
}

/** Runs what serves many, or nobody in particular, outside of the span it was set off in. */
export function apart<T>(work: () => T): T {
  return isTracing() ? context.with(ROOT_CONTEXT, work) : work();
}

type Place = { readonly base: Context; readonly links: Link[]; readonly isRecorded: boolean };

function place({ parent, of, links, isStart }: SpanPlan): Place {
  const distinct = [...new Set(of?.())];
  const spanContext = spanContextOf(parent ?? (distinct.length === 1 ? distinct[0] : undefined));
  const linked = linksTo([...(distinct.length > 1 ? distinct : []), ...(links?.() ?? [])]);
  if (spanContext === undefined) {
    return { base: ROOT_CONTEXT, links: linked, isRecorded: isStart === true || linked.length > 0 };
  }
  // Whether a trace is recorded was decided where it began; what is not costs no span, but goes on telling so.
  const base = trace.setSpanContext(ROOT_CONTEXT, spanContext);
  return { base, links: linked, isRecorded: isSampled(spanContext) };
}

async function settle<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await work(span);
  } catch (error) {
    const { code, name, message } = error as { code?: unknown; name?: string; message?: string };
    span.setAttribute('error.type', typeof code === 'string' ? code : (name ?? typeof error));
    span.setStatus({ code: SpanStatusCode.ERROR, message: message ?? String(error) });
    throw error;
  } finally {
    span.end();
  }
}
