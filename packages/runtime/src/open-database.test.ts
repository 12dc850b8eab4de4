import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { openDatabase } from './open-database.js';

const url = 'postgres://baton:secret@db.example:6543/tasks';

/** A log, and an attempt that fails with each of the codes in turn, then succeeds. */
function scene(...codes: readonly string[]) {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)).msg);
      done();
    },
  });
  const rest = [...codes];
  const open = async () => {
    const code = rest.shift();
    if (code !== undefined) throw Object.assign(new Error('it says so'), { code });
  };
  return { lines, logger: pino(sink), open };
}

describe('opening a database', () => {
  it('goes on until it succeeds, and tells each problem once for a while', async () => {
    const { lines, logger, open } = scene('ECONNREFUSED', 'ECONNREFUSED', '57P03');
    const { opened, expectOpen } = openDatabase(open, { url, logger, signal: new AbortController().signal });
    expect(expectOpen).toThrow('not connected yet');
    expect(await opened).toBe(true);
    expect(expectOpen).not.toThrow();
    expect(lines).toEqual([
      expect.stringContaining('nothing listens there'),
      expect.stringContaining('it is starting or stopping'),
    ]);
  });

  it('gives up what only a person can change, without telling the password', async () => {
    const { logger, open } = scene('28P01');
    const { opened } = openDatabase(open, { url, logger, signal: new AbortController().signal });
    const error = await opened.catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ name: 'StartError', message: expect.stringContaining('password of user') });
    expect(String(error)).not.toContain('secret');
  });

  it('tells a fault of the program with its stack, and an outage without', async () => {
    const errors: Record<string, unknown>[] = [];
    const logger = pino({}, { write: (line: string) => void errors.push(JSON.parse(line)) });
    const faults: Error[] = [
      new TypeError('x is not a function'),
      Object.assign(new Error('no such column'), { code: '42703' }),
      Object.assign(new Error('going down'), { code: '57P01' }),
      Object.assign(new Error('no way there'), { code: 'EHOSTUNREACH' }),
      new Error('Connection terminated unexpectedly'),
      new Error('Query read timeout'),
    ];
    const open = async () => {
      const fault = faults.shift();
      if (fault !== undefined) throw fault;
    };
    expect(await openDatabase(open, { url, logger, signal: new AbortController().signal }).opened).toBe(true);
    const stack = expect.stringMatching(/open-database\.test/);
    expect(errors.map(({ level, err }) => [level, (err as Error | undefined)?.stack])).toEqual([
      [50, stack],
      [50, stack],
      [40, undefined],
      [40, undefined],
      [40, undefined],
      [40, undefined],
    ]);
  });

  it('ends at once when the process is to stop', async () => {
    const { logger, open } = scene(...Array.from({ length: 1_000 }, () => 'ECONNREFUSED'));
    const stopping = new AbortController();
    const { opened } = openDatabase(open, { url, logger, signal: stopping.signal });
    stopping.abort();
    expect(await opened).toBe(false);
  });
});
