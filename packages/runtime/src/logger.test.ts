import { describe, expect, it } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { inSpan } from '@baton/telemetry';
import { trace } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { pino, type Logger } from 'pino';
import { setLogLevel } from './log-level.js';
import { createLogger, nestLogger, prettyTo } from './logger.js';

function nestLines(level: string, log: (logger: ReturnType<typeof nestLogger>) => void): unknown[] {
  const lines: unknown[] = [];
  const formatters = { level: (label: string) => ({ level: label }) };
  const options = { level, base: null, timestamp: false, formatters };
  log(nestLogger(pino(options, { write: (line) => void lines.push(JSON.parse(line)) })));
  return lines;
}

describe('nestLogger', () => {
  it('keeps the context and takes what Nest tells at start as detail', () => {
    const lines = nestLines('trace', (logger) => {
      logger.log('routes mapped', 'RouterExplorer');
      logger.warn('careful');
      logger.verbose?.({ a: 1 }, 'Some');
    });
    expect(lines).toEqual([
      { level: 'debug', context: 'RouterExplorer', msg: 'routes mapped' },
      { level: 'warn', msg: 'careful' },
      { level: 'trace', context: 'Some', msg: '{"a":1}' },
    ]);
  });

  it('keeps errors, with their stack however it comes', () => {
    const lines = nestLines('error', (logger) => {
      logger.warn('not shown');
      logger.error('broke', 'at somewhere', 'Some');
      logger.error(new TypeError('broke too'), 'Some');
      logger.fatal?.('gone');
    });
    expect(lines).toMatchObject([
      { level: 'error', context: 'Some', stack: 'at somewhere', msg: 'broke' },
      { level: 'error', context: 'Some', err: { type: 'TypeError', message: 'broke too' }, msg: 'broke too' },
      { level: 'fatal', msg: 'gone' },
    ]);
  });
});

describe('the log of a service', () => {
  const lines: Record<string, unknown>[] = [];
  const open = (level?: string): Logger => {
    lines.length = 0;
    return createLogger('some-service', level, { write: (line) => void lines.push(JSON.parse(line)) });
  };

  it('is JSON with its name, the level as a word and the time', () => {
    open().info({ task_id: 't1' }, 'did it');
    expect(lines).toEqual([
      { level: 'info', service: 'some-service', time: expect.any(String), task_id: 't1', msg: 'did it' },
    ]);
  });

  it('tells the trace it was written in, where that is recorded', async () => {
    const provider = new NodeTracerProvider();
    provider.register();
    const log = open();
    const within = (flags: string) =>
      inSpan({ name: 'work', of: () => [`00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}`] }, async () =>
        log.info('inside'),
      );
    await within('01');
    await within('00');
    log.info('outside');
    expect(lines.map((line) => line['trace_id'])).toEqual(['a'.repeat(32), undefined, undefined]);
    expect(lines[0]?.['span_id']).toMatch(/^[0-9a-f]{16}$/);
    await provider.shutdown();
    trace.disable();
  });

  it('has no secrets, not even in the errors of others', () => {
    const error = new Error('cannot reach postgres://baton:s3cret@db/baton');
    open()
      .child({ authorization: 's3cret' })
      .error({ err: error, deep: { token: 's3cret' } }, 'failed');
    expect(lines[0]).toMatchObject({ err: { message: 'cannot reach postgres://(hidden)@db/baton' } });
    expect(JSON.stringify(lines)).not.toContain('s3cret');
  });

  it('changes its level at any time, for those made of it before as well', () => {
    const log = open('warn');
    const child = log.child({ part: 'one' });
    child.info('unheard');
    setLogLevel(log, 'debug');
    child.debug('heard');
    log.debug('heard');
    setLogLevel(log, 'error');
    child.warn('unheard');
    expect(lines.map(({ msg }) => msg)).toEqual(['heard', 'heard']);
  });

  it('is readable on a terminal', () => {
    const terminal = new PassThrough();
    createLogger('some-service', 'info', prettyTo(terminal)).warn({ task_id: 't1' }, 'careful');
    const text = String(terminal.read());
    expect(text).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] .*WARN.*: .*some-service: careful/);
    expect(text).toContain('task_id');
  });
});
