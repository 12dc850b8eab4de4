import { describe, expect, it } from '@jest/globals';
import { DomainError, ERRORS, type ErrorCode } from '@baton/contracts';
import { ackPolicy, MAX_DELIVERIES } from './ack.policy.js';

describe('ackPolicy', () => {
  it.each([
    [1, 250],
    [2, 500],
    [3, 1_000],
    [4, 2_000],
    [5, 4_000],
    [6, 8_000],
    [7, 16_000],
    [8, 30_000],
    [9, 30_000],
    [MAX_DELIVERIES - 1, 30_000],
  ])('delivery %i of an unknown failure waits %i ms', (deliveryCount, delayMs) => {
    expect(ackPolicy(new Error('broken'), deliveryCount)).toEqual({ action: 'nak', delayMs });
  });

  it('gives up at the last delivery and says why', () => {
    expect(ackPolicy(new Error('broken'), MAX_DELIVERIES)).toEqual({
      action: 'term',
      reason: `given up after ${MAX_DELIVERIES} deliveries: broken`,
    });
    expect(ackPolicy('thrown text', MAX_DELIVERIES + 5)).toEqual({
      action: 'term',
      reason: `given up after ${MAX_DELIVERIES + 5} deliveries: thrown text`,
    });
  });

  it.each(Object.keys(ERRORS) as ErrorCode[])('%s ends the message unless it is retryable', (code) => {
    const expected = ERRORS[code].retryable
      ? { action: 'nak', delayMs: 250 }
      : { action: 'term', reason: `${code}: why` };
    expect(ackPolicy(new DomainError(code, 'why'), 1)).toEqual(expected);
  });

  it.each([
    [1, 2_000, 2_000],
    [5, 2_000, 4_000],
    [1, 90_000, 30_000],
  ])('at delivery %i an error that asks for %i ms waits %i ms', (deliveryCount, retryAfterMs, delayMs) => {
    const error = new DomainError('UNAVAILABLE', 'later', { retryAfterMs });
    expect(ackPolicy(error, deliveryCount)).toEqual({ action: 'nak', delayMs });
  });

  it('never waits less than at the first delivery, whatever the count', () => {
    expect(ackPolicy(new Error('broken'), 0)).toEqual({ action: 'nak', delayMs: 250 });
  });
});
