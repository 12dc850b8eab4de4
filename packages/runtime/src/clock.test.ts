import { describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { createClock, followDatabase } from './clock.js';

function createLog() {
  const lines: { level: string; msg: string; clockAheadMs?: number }[] = [];
  const options = { formatters: { level: (level: string) => ({ level }) } };
  const logger = pino(options, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { lines, logger };
}

const hour = 3_600_000;

describe('createClock', () => {
  it('has the time of this machine until it learns another', () => {
    const clock = createClock(createLog().logger);
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
    clock.learn(Date.now() - hour, performance.now());
    expect(Math.abs(clock.now() - (Date.now() - hour))).toBeLessThan(1_000);
  });

  it('warns once while the clocks differ, and tells when they agree again', () => {
    const { lines, logger } = createLog();
    const clock = createClock(logger);
    clock.learn(Date.now() - hour, performance.now());
    clock.learn(Date.now() - hour, performance.now());
    clock.learn(Date.now(), performance.now());
    clock.learn(Date.now() + hour, performance.now());
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      ['warn', expect.stringMatching(/is 3600 s ahead of that of the database, .* set by NTP/)],
      ['info', expect.stringContaining('agrees with that of the database again')],
      ['warn', expect.stringContaining('is 3600 s behind that of the database')],
    ]);
  });

  it('does not take a slow answer for a wrong clock', () => {
    const { lines, logger } = createLog();
    // The database told its time right after the question; the answer came 20 s later.
    createClock(logger).learn(Date.now() - 20_000, performance.now() - 20_000);
    expect(lines).toEqual([]);
  });
});

describe('followDatabase', () => {
  it('reads at once and every minute until it is to stop', async () => {
    jest.useFakeTimers();
    try {
      const following = new AbortController();
      const readTime = jest.fn(async () => Date.now());
      await followDatabase(createClock(createLog().logger), readTime, following.signal);
      jest.advanceTimersByTime(120_000);
      expect(readTime).toHaveBeenCalledTimes(3);
      following.abort();
      jest.advanceTimersByTime(600_000);
      expect(readTime).toHaveBeenCalledTimes(3);
    } finally {
      jest.useRealTimers();
    }
  });
});
