import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../usage-error.js';
import { readOptions } from './options.js';

describe('readOptions', () => {
  it('has defaults for everything', () => {
    const options = readOptions([], '/home');
    expect(options).toMatchObject({
      json: false,
      tasks: 20_000,
      inFlight: 64,
      rate: 200,
      profile: undefined,
    });
  });

  it('reads what is given, paths from where the user is', () => {
    const words = ['--json', '--tasks', '500', '--in-flight=512', '--rate', '0', '--profile', 'out'];
    expect(readOptions(words, '/home')).toMatchObject({
      json: true,
      tasks: 500,
      inFlight: 512,
      rate: 0,
      profile: '/home/out',
    });
  });

  it.each([
    [['--tsks', '5'], '--tsks'],
    [['--tasks', 'many'], '--tasks must be a whole number from 1'],
    [['--tasks', '0'], '--tasks must be a whole number from 1'],
    [['--rate', '1e3'], '--rate'],
    [['extra'], 'extra'],
  ])('refuses %j and shows the usage', (words, message) => {
    expect(() => readOptions(words, '/home')).toThrow(UsageError);
    expect(() => readOptions(words, '/home')).toThrow(message);
    expect(() => readOptions(words, '/home')).toThrow('Usage: npm run bench -- lifecycle');
  });
});
