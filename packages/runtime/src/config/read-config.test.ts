import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigError, readConfig } from './read-config.js';
import { setting } from './setting.js';
import { portSetting, postgresSetting, serviceSettings } from './shared-settings.js';

const schema = z.object({
  DATABASE_URL: postgresSetting('Postgres.'),
  BATON_HTTP_PORT: portSetting('HTTP.', 8_080),
  BATON_LOG_LEVEL: serviceSettings.BATON_LOG_LEVEL,
  API_TOKEN: setting(z.string().min(8).optional(), {
    does: 'Lets clients in.',
    expected: 'at least 8 characters',
    example: 'b7c1e2f09a',
    secret: true,
  }),
});

const url = 'postgres://me:hunter2@db/baton';
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'baton-config-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function problemsOf(environment: NodeJS.ProcessEnv): string {
  try {
    readConfig(schema, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

describe('the address of NATS', () => {
  const nats = z.object({ NATS_URL: serviceSettings.NATS_URL });
  const told = (address: string) => () => readConfig(nats, { NATS_URL: address });

  it.each([
    ['a user and a password', 'nats://me:hunter2@h:4222', '(hidden)@h:4222'],
    ['a token at the second server', 'nats://a:1,hunter2@b:2', '(hidden)@b:2'],
    ['a password and a port that is none', 'nats://me:hun@ter2@h:99999', 'nats://(hidden)@h:99999'],
  ])('is refused with %s, which is not shown', (_what, address, shown) => {
    expect(told(address)).toThrow(`${shown}", expected addresses of NATS servers`);
    expect(told(address)).toThrow('without user and password');
    expect(told(address)).not.toThrow(/hunter2|ter2/);
  });

  it('may name several servers, without their scheme too', () => {
    expect(told('nats://a:4222, b')).not.toThrow();
  });
});

describe('readConfig', () => {
  it('reads what the schema names, with its defaults, and nothing else', () => {
    const environment = { DATABASE_URL: url, BATON_HTTP_PORT: '80', PATH: '/bin', OTEL_SERVICE_NAME: 'x' };
    expect(readConfig(schema, environment)).toEqual({
      DATABASE_URL: url,
      BATON_HTTP_PORT: 80,
      BATON_LOG_LEVEL: 'info',
    });
  });

  it('takes an empty variable as not set, an unknown one too', () => {
    const environment = {
      DATABASE_URL: url,
      BATON_HTTP_PORT: '',
      API_TOKEN: '',
      BATON_X: '',
      DATABASE_URL_FILE: '',
    };
    expect(readConfig(schema, environment).BATON_HTTP_PORT).toBe(0);
  });

  it('tells all problems together: the variable, what came, what was expected, an example', () => {
    const environment = { BATON_HTTP_PORT: '70000', BATON_LOG_LEVEL: 'loud', BATON_LOGLEVEL: 'info' };
    expect(problemsOf(environment)).toBe(
      [
        'The configuration cannot be used:',
        '  DATABASE_URL: got nothing, expected the address of a Postgres database, ' +
          'postgres://user:password@host:port/database, for example postgres://baton:password@db.example.org:5432/baton',
        '  BATON_HTTP_PORT: got "70000", expected a port from 0 to 65535, where 0 takes any free one, for example 8080',
        '  BATON_LOG_LEVEL: got "loud", expected one of trace, debug, info, warn, error, fatal, for example debug',
        '  BATON_LOGLEVEL: no part of Baton knows it; did you mean BATON_LOG_LEVEL?',
      ].join('\n'),
    );
  });

  it.each([
    ['//me:hunter2@host', '(hidden)'],
    ['mysql://me:hunter2@host/x', 'mysql://(hidden)@host/x'],
    ['mysql://me:hun/@ter2@host:1/x', 'mysql://(hidden)@host:1/x'],
    ['postgres://me:hunter2', '(hidden)'],
    ['mysql://host/x?password=hunter2', '(hidden)'],
    ['mysql://db:3306/x', 'mysql://db:3306/x'],
    ['hunter2', '(hidden)'],
  ])('shows of the secret %s no more than %s', (value, shown) => {
    const text = problemsOf({ DATABASE_URL: value });
    expect(text).toContain(`DATABASE_URL: got ${JSON.stringify(shown)}, expected`);
    expect(text).not.toMatch(/hunter2|ter2/);
  });

  it('does not bury the problems under a stack', () => {
    expect(new ConfigError(['A: wrong']).stack).toBe(
      'ConfigError: The configuration cannot be used:\n  A: wrong',
    );
  });

  it('refuses a schema with a setting that nobody described', () => {
    expect(() => readConfig(z.object({ BATON_BARE: z.string() }), {})).toThrow('BATON_BARE is not declared');
  });
});

describe('a secret in a file', () => {
  it('is its content without the last line break', () => {
    const environment = {
      DATABASE_URL_FILE: file('url', `${url}\n`),
      API_TOKEN_FILE: file('token', 'two\nlines\n\n'),
    };
    expect(readConfig(schema, environment)).toMatchObject({ DATABASE_URL: url, API_TOKEN: 'two\nlines\n' });
  });

  it('is checked like any other value, and not shown', () => {
    expect(problemsOf({ DATABASE_URL_FILE: file('bad', 'hunter2') })).toContain(
      'DATABASE_URL: got "(hidden)", expected',
    );
  });

  it('and in the environment as well is a problem', () => {
    expect(problemsOf({ DATABASE_URL: url, DATABASE_URL_FILE: file('url', url) })).toBe(
      'The configuration cannot be used:\n' +
        '  DATABASE_URL: got both DATABASE_URL and DATABASE_URL_FILE, expected one of them; unset the other',
    );
  });

  it.each([
    ['missing', () => join(directory, 'missing'), 'cannot be read (ENOENT)'],
    ['a directory', () => directory, 'cannot be read (EISDIR)'],
    ['empty', () => file('empty', '\n'), 'is empty'],
  ])('that is %s is a problem that names it', (_what, path, expected) => {
    const text = problemsOf({ DATABASE_URL_FILE: path() });
    expect(text).toContain(`DATABASE_URL_FILE: ${JSON.stringify(path())} ${expected}, expected a file`);
    expect(text.split('\n')).toHaveLength(2);
  });

  it('is for secrets alone', () => {
    expect(problemsOf({ DATABASE_URL: url, BATON_LOG_LEVEL_FILE: file('level', 'info') })).toContain(
      'BATON_LOG_LEVEL_FILE: no part of Baton knows it',
    );
  });
});
