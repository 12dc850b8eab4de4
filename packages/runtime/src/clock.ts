import type { Logger } from 'pino';

/** The clock of the database, which alone decides in Baton, carried on by the steady timer of this process. */
export type DatabaseClock = {
  /** Milliseconds of the epoch; by the clock of this machine until the database's was read. */
  now(): number;
  /**
   * Takes the time that was the answer to a question asked at `askedAt` (by `performance.now()`). Warns once while
   * the clock of this machine differs by more than 5 s: nothing depends on it, but logs of several machines do not fit
   * together, and certificates may not be valid.
   */
  learn(databaseTime: number, askedAt: number): void;
};

const TOLERATED_MS = 5_000;
const READ_EVERY_MS = 60_000;

/** A clock that has yet to learn the time. */
export function createClock(logger: Logger): DatabaseClock {
  let offset: number | undefined;
  let wasOff = false;
  const now = () => (offset === undefined ? Date.now() : offset + performance.now());
  return {
    now,
    learn(databaseTime, askedAt) {
      const answeredAt = performance.now();
      offset = databaseTime - (askedAt + answeredAt) / 2;
      const clockAheadMs = Math.round(Date.now() - now());
      const isOff = Math.abs(clockAheadMs) > TOLERATED_MS + (answeredAt - askedAt) / 2;
      if (isOff && !wasOff) logger.warn({ clockAheadMs }, offText(clockAheadMs));
      if (!isOff && wasOff) logger.info('the clock of this machine agrees with that of the database again');
      wasOff = isOff;
    },
  };
}

/**
 * Reads the time of the database now and once a minute from here on, until `signal` is aborted; what cannot be read is
 * left to the next time.
 */
export async function followDatabase(
  clock: DatabaseClock,
  readTime: () => Promise<number>,
  signal: AbortSignal,
): Promise<void> {
  const read = async (): Promise<void> => {
    const askedAt = performance.now();
    await readTime().then(
      (time) => clock.learn(time, askedAt),
      () => undefined,
    );
  };
  const reading = setInterval(() => void read(), READ_EVERY_MS).unref();
  signal.addEventListener('abort', () => clearInterval(reading), { once: true });
  if (signal.aborted) clearInterval(reading);
  await read();
}

function offText(clockAheadMs: number): string {
  const seconds = Math.round(Math.abs(clockAheadMs) / 1_000);
  const direction = clockAheadMs > 0 ? 'ahead of' : 'behind';
  return (
    `the clock of this machine is ${seconds} s ${direction} that of the database, which is the one that counts; ` +
    'have both set by NTP (timedatectl set-ntp true; a container has the clock of its host)'
  );
}
