import { v7 } from 'uuid';

const TOLERATED_MS = 5_000;
const LAST_SEQUENCE = 0xffff_ffff;

/**
 * Mints UUIDv7s of a time it is told (milliseconds of the epoch by the database's clock), each higher than the one
 * before, also within a millisecond. The time in an id says which partition has a task's events and orders lists: a
 * machine whose clock is off must not decide that, nor may one moment of a wrong clock outlive its correction. So it
 * does not stay at a time that turned out to be more than 5 s ahead.
 */
export function createMint(): (databaseTime: number) => string {
  let msecs = Number.NEGATIVE_INFINITY;
  let seq = 0;
  return (databaseTime) => {
    const time = Math.floor(databaseTime);
    if (time > msecs || time < msecs - TOLERATED_MS) {
      msecs = time;
      // Random, so that processes differ; of the lower half, so that there is room to count.
      seq = Math.floor(Math.random() * 0x8000_0000);
    } else if (seq < LAST_SEQUENCE) {
      seq += 1;
    } else {
      msecs += 1;
      seq = 0;
    }
    return v7({ msecs, seq });
  };
}
