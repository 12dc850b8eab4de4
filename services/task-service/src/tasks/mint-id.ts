import { v7 } from 'uuid';

const TOLERATED_MS = 5_000;

/**
 * The id of a task created at `databaseTime` (milliseconds of the epoch). The time in it says which partition has the
 * task's events, and orders lists: a machine whose clock is off must not decide that. One that agrees mints in strict
 * order also within a millisecond.
 */
export function mintTaskId(databaseTime: number, machineTime: number): string {
  const agrees = Math.abs(databaseTime - machineTime) <= TOLERATED_MS;
  return agrees ? v7() : v7({ msecs: Math.floor(databaseTime) });
}
