import { describe, expect, it } from '@jest/globals';
import { readOptions, UsageError } from './options.js';

const surroundings = { checkout: '/checkout', environment: {}, cwd: '/here' };

describe('readOptions', () => {
  it('audits the checkout and stays up unless told otherwise', () => {
    expect(readOptions([], surroundings)).toEqual({ repo: '/checkout', once: false, json: false });
    expect(readOptions(['--once', '--json', '--repo', 'x'], surroundings)).toEqual({
      repo: '/here/x',
      once: true,
      json: true,
    });
  });

  it('takes a path as the user meant it when npm changed the directory', () => {
    const environment = { npm_lifecycle_event: 'demo', INIT_CWD: '/there' };
    expect(readOptions(['--repo', 'x'], { ...surroundings, environment })).toMatchObject({
      repo: '/there/x',
    });
    const other = { npm_lifecycle_event: 'test', INIT_CWD: '/there' };
    expect(readOptions(['--repo', 'x'], { ...surroundings, environment: other })).toMatchObject({
      repo: '/here/x',
    });
  });

  it('asks for help', () => {
    expect(readOptions(['--help'], surroundings)).toBe('help');
  });

  it.each([[['--unknown']], [['--repo']], [['--repo=']], [['extra']], [['--once=yes']]])(
    'refuses %j',
    (words) => {
      expect(() => readOptions(words, surroundings)).toThrow(UsageError);
    },
  );
});
