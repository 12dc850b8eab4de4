import { describe, expect, it } from '@jest/globals';
import { DomainError, ERRORS, type ErrorCode } from './errors.js';

const entries = Object.entries(ERRORS).map(([code, entry]) => ({ code, ...entry }));

describe('the error catalogue', () => {
  it.each(entries)('$code has a code, a status and a title as they should be', ({ code, status, title }) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(Number.isInteger(status)).toBe(true);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
  });

  it('is ordered by status, as docs/errors.md shows it', () => {
    const statuses = entries.map(({ status }) => status);
    expect(statuses).toEqual(statuses.toSorted((a, b) => a - b));
  });

  it('calls retryable only what another moment can change', () => {
    const again = entries.filter(({ retryable }) => retryable).map(({ status }) => status);
    expect([409, 429, 503]).toEqual(expect.arrayContaining(again));
  });
});

describe('a domain error', () => {
  it('takes status and retryable from the catalogue', () => {
    for (const { code, status, retryable } of entries) {
      const error = new DomainError(code as ErrorCode, 'why');
      expect({ status: error.status, retryable: error.retryable }).toEqual({ status, retryable });
    }
  });

  it('travels with what is known and nothing else', () => {
    const cause = new Error('the secret inside');
    const error = new DomainError('UNAVAILABLE', 'Postgres does not answer', { retryAfterMs: 500, cause });
    expect(JSON.parse(JSON.stringify(error.toBody()))).toEqual({
      code: 'UNAVAILABLE',
      message: 'Postgres does not answer',
      retryable: true,
      retryAfterMs: 500,
    });
    expect(new DomainError('FORBIDDEN', 'no', { details: { role: 'viewer' } }).toBody()).toEqual({
      code: 'FORBIDDEN',
      message: 'no',
      retryable: false,
      details: { role: 'viewer' },
    });
  });
});
