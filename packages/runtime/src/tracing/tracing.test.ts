import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, SpanKind, type Link } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace-node';
import { programOf } from './program.js';
import { samplerOf } from './sampler.js';
import { tracesWanted } from './wanted.js';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('traces', () => {
  it.each([
    [{}, false],
    [ENDPOINT, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }, true],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, true],
    [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }, true],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }, false],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'false' }, true],
    [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }, false],
  ])('with %j are wanted: %s', (environment, isWanted) => {
    expect(tracesWanted(environment)).toEqual({ isWanted });
  });

  it.each([
    [
      { OTEL_TRACES_EXPORTER: 'zipkin' },
      'OTEL_TRACES_EXPORTER: got "zipkin", expected otlp or none; no traces are sent',
    ],
    [
      { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      'OTEL_EXPORTER_OTLP_PROTOCOL: got "grpc", expected http/protobuf; no traces are sent',
    ],
  ])('that cannot be had say why: %j', (environment, problem) => {
    expect(tracesWanted(environment)).toEqual({ isWanted: false, problem });
  });

  it('are those of the package a program is in', () => {
    expect(programOf(new URL('../main.ts', import.meta.url).pathname)).toEqual({
      name: 'runtime',
      version: '0.1.0',
    });
  });
});

describe('the sampler', () => {
  const linkTo = (traceFlags: number): Link => ({
    context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags },
  });
  const decisionOf = (environment: NodeJS.ProcessEnv, links: Link[]) =>
    samplerOf(environment).shouldSample(ROOT_CONTEXT, 'f'.repeat(32), 'batch', SpanKind.INTERNAL, {}, links)
      .decision;

  it.each([
    [{}, [], SamplingDecision.RECORD_AND_SAMPLED],
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, [linkTo(1)], SamplingDecision.NOT_RECORD],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, [linkTo(0)], SamplingDecision.NOT_RECORD],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, [linkTo(1)], SamplingDecision.RECORD_AND_SAMPLED],
    [
      { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
      [linkTo(0), linkTo(1)],
      SamplingDecision.RECORD_AND_SAMPLED,
    ],
    [
      { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
      [linkTo(1)],
      SamplingDecision.NOT_RECORD,
    ],
  ])('of %j, for a batch with links %j', (environment, links, decision) => {
    expect(decisionOf(environment, links)).toBe(decision);
  });
});
