import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigError, readConfig } from './config.js';

const schema = z.object({
  DATABASE_URL: z.url().describe('postgres://user:password@host:port/database'),
  BATON_HTTP_PORT: z.coerce.number().int().min(0).max(65_535).default(8_080),
  BATON_LOG_LEVEL: z.enum(['info', 'debug']).default('info'),
  BATON_API_TOKEN: z.string().min(8).optional(),
});

function problemsOf(environment: NodeJS.ProcessEnv): string {
  try {
    readConfig(schema, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

describe('readConfig', () => {
  it('reads what the schema names, with its defaults, and nothing else', () => {
    const environment = { DATABASE_URL: 'postgres://a@b/c', BATON_HTTP_PORT: '0', PATH: '/bin' };
    expect(readConfig(schema, environment)).toEqual({
      DATABASE_URL: 'postgres://a@b/c',
      BATON_HTTP_PORT: 0,
      BATON_LOG_LEVEL: 'info',
    });
  });

  it('takes an empty variable as not set', () => {
    const environment = { DATABASE_URL: 'postgres://a@b/c', BATON_HTTP_PORT: '', BATON_API_TOKEN: '' };
    expect(readConfig(schema, environment).BATON_HTTP_PORT).toBe(8_080);
  });

  it('tells all problems together: the variable, what came, what was expected', () => {
    expect(problemsOf({ BATON_HTTP_PORT: 'many', BATON_LOG_LEVEL: 'loud' })).toBe(
      [
        'The configuration cannot be used:',
        '  DATABASE_URL: got nothing, expected postgres://user:password@host:port/database',
        '  BATON_HTTP_PORT: got "many", expected number',
        '  BATON_LOG_LEVEL: got "loud", expected one of "info"|"debug"',
      ].join('\n'),
    );
  });

  it('tells a bound that was missed', () => {
    expect(problemsOf({ DATABASE_URL: 'postgres://a@b/c', BATON_HTTP_PORT: '70000' })).toContain(
      'BATON_HTTP_PORT: got "70000", expected number to be <=65535',
    );
  });

  it('shows no secret', () => {
    const text = problemsOf({ DATABASE_URL: '//me:hunter2@host', BATON_API_TOKEN: 'short' });
    expect(text).toContain('DATABASE_URL: got "//(hidden)@host"');
    expect(text).toContain('BATON_API_TOKEN: got a value (hidden)');
    expect(text).not.toMatch(/hunter2|short/);
  });

  it('does not bury the problems under a stack', () => {
    expect(new ConfigError(['A: wrong']).stack).toBe(
      'ConfigError: The configuration cannot be used:\n  A: wrong',
    );
  });
});
