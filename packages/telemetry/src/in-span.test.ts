import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { apart, inSpan, type SpanPlan } from './in-span.js';
import { activeTraceparent, isTracing } from './tracing.js';

const context = (digit: string, flags = '01') => `00-${digit.repeat(32)}-${digit.repeat(16)}-${flags}`;
const [A, B, UNSAMPLED] = [context('a'), context('b'), context('c', '00')];

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

const made = () =>
  exporter.getFinishedSpans().map(({ name, parentSpanContext, links }) => ({
    name,
    parent: parentSpanContext?.traceId[0],
    links: links.map((link) => link.context.traceId[0]),
  }));

function seenIn(plan: Omit<SpanPlan, 'name'>): Promise<string | undefined> {
  return inSpan({ name: 'work', ...plan }, () => Promise.resolve(activeTraceparent()));
}

describe('without an SDK', () => {
  it('nothing is asked of a plan, and the work runs as it is', async () => {
    expect(isTracing()).toBe(false);
    const refuse = () => {
      throw new Error('looked at');
    };
    const done = await inSpan({ name: 'work', of: refuse, attributes: refuse }, (span) =>
      Promise.resolve(span),
    );
    expect(done).toBeUndefined();
  });
});

describe('with an SDK', () => {
  beforeAll(() => provider.register());
  beforeEach(() => exporter.reset());
  afterAll(async () => {
    await provider.shutdown();
    trace.disable();
  });

  it('what is of one task alone is below its span', async () => {
    await seenIn({ of: () => [A, A] });
    expect(made()).toEqual([{ name: 'work', parent: 'a', links: [] }]);
  });

  it('what is of several is linked to each, and the child of none', async () => {
    await seenIn({ of: () => [A, B, A] });
    await seenIn({ of: () => [A, null] });
    expect(made()).toEqual([
      { name: 'work', parent: undefined, links: ['a', 'b'] },
      { name: 'work', parent: undefined, links: ['a'] },
    ]);
  });

  it('a message is below the span it was sent in, and linked to what is in it', async () => {
    await seenIn({ parent: A, of: () => [A, B] });
    expect(made()).toEqual([{ name: 'work', parent: 'a', links: ['a', 'b'] }]);
  });

  it('what is not recorded makes no span, and goes on saying so', async () => {
    expect(await seenIn({ of: () => [UNSAMPLED], links: () => [UNSAMPLED] })).toBe(UNSAMPLED);
    expect(await seenIn({ of: () => [UNSAMPLED, null] })).toBeUndefined();
    expect(made()).toEqual([]);
  });

  it('without a context there is none, unless a trace begins there', async () => {
    expect(await seenIn({ of: () => ['nonsense'] })).toBeUndefined();
    expect(await seenIn({ isStart: true })).toMatch(/^00-.*-01$/);
    expect(made()).toHaveLength(1);
  });

  it('is never below the span it merely happens to run in', async () => {
    await inSpan({ name: 'outer', of: () => [A] }, async () => {
      await seenIn({ of: () => [B] });
      expect(apart(activeTraceparent)).toBeUndefined();
    });
    expect(made()).toMatchObject([
      { name: 'work', parent: 'b' },
      { name: 'outer', parent: 'a' },
    ]);
  });

  it('tells what its work failed with, by its code', async () => {
    const failure = Object.assign(new Error('taken'), { code: 'TASK_STATE_CONFLICT' });
    const failed = inSpan({ name: 'work', of: () => [A] }, () => Promise.reject(failure));
    await expect(failed).rejects.toBe(failure);
    const [span] = exporter.getFinishedSpans();
    expect(span).toMatchObject({
      status: { code: 2, message: 'taken' },
      attributes: { 'error.type': 'TASK_STATE_CONFLICT' },
    });
  });
});
