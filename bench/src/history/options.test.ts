import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../usage-error.js';
import { readOptions } from './options.js';

describe('readOptions', () => {
  it('has defaults for everything, and reads what is given', () => {
    expect(readOptions([])).toEqual({
      json: false,
      assert: false,
      tasks: 1_000_000,
      backlog: 100_000,
      pages: 100,
      lifecycles: 5_000,
    });
    expect(readOptions(['--tasks', '5000', '--pages=3', '--lifecycles', '0', '--json'])).toMatchObject({
      json: true,
      tasks: 5_000,
      pages: 3,
      lifecycles: 0,
    });
    expect(readOptions(['--help'])).toBe('help');
  });

  it.each([
    [['--task', '5'], '--task'],
    [['--tasks', '10'], '--tasks must be a whole number from 1000'],
    [['--pages', '0'], '--pages must be'],
  ])('refuses %j and shows the usage', (words, message) => {
    expect(() => readOptions(words)).toThrow(UsageError);
    expect(() => readOptions(words)).toThrow(message);
    expect(() => readOptions(words)).toThrow('Usage: npm run bench -- history');
  });
});
