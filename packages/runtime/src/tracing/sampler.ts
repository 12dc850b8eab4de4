import { trace, type Context, type Link } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace-node';

/**
 * The sampler of `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`, `parentbased_always_on` by default. One that is
 * based on parents is based on links as well: the span of a batch has none of its tasks for a parent, and would be
 * missing from the traces of nearly all that are recorded.
 */
export function samplerOf(environment: NodeJS.ProcessEnv): Sampler {
  const name = environment['OTEL_TRACES_SAMPLER'] || 'parentbased_always_on';
  const root = ROOTS[name.replace(/^parentbased_/, '')]?.(ratioOf(environment['OTEL_TRACES_SAMPLER_ARG']));
  if (root === undefined) {
    process.stderr.write(
      `OTEL_TRACES_SAMPLER: got ${JSON.stringify(name)}, expected one of ${NAMES}; parentbased_always_on is used\n`,
    );
    return linkBased(new ParentBasedSampler({ root: new AlwaysOnSampler() }));
  }
  return name.startsWith('parentbased_') ? linkBased(new ParentBasedSampler({ root })) : root;
}

const ROOTS: Readonly<Record<string, (ratio: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio),
};
const NAMES = Object.keys(ROOTS)
  .flatMap((name) => [name, `parentbased_${name}`])
  .join(', ');

function ratioOf(text: string | undefined): number {
  if (!text) return 1;
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  process.stderr.write(`OTEL_TRACES_SAMPLER_ARG: got ${JSON.stringify(text)}, expected 0 to 1; 1 is used\n`);
  return 1;
}

function linkBased(sampler: Sampler): Sampler {
  return {
    shouldSample(parent: Context, traceId, name, kind, attributes, links: Link[]) {
      const isOfBatch = trace.getSpanContext(parent) === undefined && links.length > 0;
      if (isOfBatch && links.some(({ context }) => (context.traceFlags & 1) === 1)) {
        return { decision: SamplingDecision.RECORD_AND_SAMPLED };
      }
      return sampler.shouldSample(parent, traceId, name, kind, attributes, links);
    },
    toString: () => `LinkBased{${sampler.toString()}}`,
  };
}
