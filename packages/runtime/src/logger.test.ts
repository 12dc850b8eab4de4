import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { nestLogger } from './logger.js';

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
