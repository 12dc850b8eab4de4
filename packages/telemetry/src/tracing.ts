import { trace, type TracerProvider } from '@opentelemetry/api';
import { traceparentOf } from './trace-context.js';

const FLUSH_MS = 3_000;

let found = false;

/** Whether this process has an OpenTelemetry SDK. Where it has none, nothing is made for any span. */
export function isTracing(): boolean {
  return found || (found = provider() !== undefined);
}

/** The context of the span this runs in, also of one that is not recorded; undefined outside of any. */
export function activeTraceparent(): string | undefined {
  if (!isTracing()) return undefined;
  const active = trace.getActiveSpan()?.spanContext();
  return active === undefined ? undefined : traceparentOf(active);
}

/** Before the process exits: has spans that ended sent. Never rejects; gives up after 3 s. */
export async function endTracing(): Promise<void> {
  const ending = provider() as { forceFlush?(): Promise<void> } | undefined;
  if (ending?.forceFlush === undefined) return;
  const late = new Promise((resolve) => setTimeout(resolve, FLUSH_MS).unref());
  await Promise.race([ending.forceFlush().catch(() => undefined), late]);
}

type Proxy = { getDelegateTracer(name: string): unknown; getDelegate(): TracerProvider };

/** The API answers with a proxy, and behind it, where no SDK was registered, with one that does nothing. */
function provider(): TracerProvider | undefined {
  const registered: TracerProvider & Partial<Proxy> = trace.getTracerProvider();
  if (registered.getDelegateTracer === undefined) return registered;
  return registered.getDelegateTracer('baton') === undefined ? undefined : registered.getDelegate?.();
}
