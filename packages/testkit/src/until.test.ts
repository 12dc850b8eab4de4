import { describe, expect, it } from '@jest/globals';

import { until } from './until.js';

describe('until', () => {
  it('returns the first truthy answer', async () => {
    let asked = 0;
    expect(await until(() => (asked += 1) > 2 && asked)).toBe(3);
  });

  it('asks again after a condition threw', async () => {
    let asked = 0;
    const condition = (): string => {
      asked += 1;
      if (asked < 3) throw new Error('not yet');
      return 'there';
    };
    expect(await until(condition)).toBe('there');
  });

  it('says what was expected and what it saw last', async () => {
    const options = { timeoutMs: 20, describe: () => ({ tasks: 7 }) };
    await expect(until(() => false, options)).rejects.toThrow(
      'The condition was not met within 20 ms: {"tasks":7}\nIt last gave: false',
    );
  });

  it('hands on what the condition threw last', async () => {
    const failing = Promise.reject(new Error('connection refused'));
    await expect(until(() => failing, { timeoutMs: 20 })).rejects.toThrow(
      /It last threw: connection refused/,
    );
  });
});
