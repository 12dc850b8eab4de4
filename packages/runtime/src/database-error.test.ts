import { describe, expect, it } from '@jest/globals';
import { explainDatabaseError, isDatabaseRefusal } from './database-error.js';

const url = 'postgres://me:hunter2@db:5433/baton';
const explain = (error: unknown): string => explainDatabaseError(error, url);
const withCode = (code: string): Error => Object.assign(new Error('the driver says hunter3'), { code });

describe('explainDatabaseError', () => {
  it.each([
    ['28P01', 'it refuses the password of user "me"; correct user or password'],
    ['3D000', 'there is no database "baton"; create it (createdb) or correct the name'],
    ['ECONNREFUSED', 'nothing listens there; start that Postgres or correct host and port'],
    ['ENOTFOUND', 'the host name is unknown; correct it'],
    ['XX000', 'the driver says hunter3, XX000; check that server'],
  ])('tells for %s in one line where, what and what to do', (code, expected) => {
    expect(explain(withCode(code))).toBe(
      `DATABASE_URL: Postgres at db:5433/baton cannot be used: ${expected}`,
    );
  });

  it('looks into what TypeORM wraps, and knows the deadline of the driver', () => {
    expect(explain(Object.assign(new Error('query failed'), { driverError: withCode('3D000') }))).toContain(
      'createdb',
    );
    expect(explain(new Error('timeout expired'))).toContain('no answer');
  });
});

describe('isDatabaseRefusal', () => {
  it.each([
    ['28P01', true],
    ['28000', true],
    ['3D000', true],
    ['42501', true],
    ['57P03', false],
    ['ECONNREFUSED', false],
  ])('%s: %s', (code, expected) => {
    expect(isDatabaseRefusal(withCode(code))).toBe(expected);
  });
});
