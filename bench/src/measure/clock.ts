/**
 * Milliseconds of a clock that all processes of this machine share and that nobody sets (CLOCK_MONOTONIC and its
 * kin): times taken in two processes may be subtracted, to the microsecond.
 */
export function sharedClockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
