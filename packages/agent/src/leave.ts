import { pause } from './back-off.js';
import type { AgentLogger } from './logger.js';
import type { Runner } from './runner.js';
import type { Session } from './session.js';

export type StopOptions = {
  /** `drain` (default) lets running tasks finish; `leave` gives them back at once. */
  readonly mode?: 'drain' | 'leave';
  /** How long `drain` waits before it gives back what still runs. Default: 30,000 ms. */
  readonly deadlineMs?: number;
};

/** Time for the answers to what was given back. */
const ANSWERS_MS = 5_000;
/** A longer timer would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Takes no more, gives back what has not begun, lets the rest finish until the deadline, says goodbye. */
export async function leave(
  parts: {
    readonly id: string;
    readonly logger: AgentLogger;
    readonly runner: Runner;
    readonly session: Session;
  },
  { mode = 'drain', deadlineMs = 30_000 }: StopOptions,
): Promise<void> {
  const { id, logger, runner, session } = parts;
  runner.close();
  if (mode === 'drain') {
    // First, so that what is given back does not come straight back.
    await session.goodbye('drain');
    runner.returnQueued();
    await waitAtMost(runner.whenIdle(), deadlineMs);
  }
  runner.returnQueued();
  runner.returnRunning();
  if (!(await waitAtMost(runner.whenIdle(), ANSWERS_MS))) {
    logger.error(`agent ${id}: left with ${runner.running().length} tasks whose end Baton did not confirm`);
  }
  await session.goodbye('leave');
}

/** Whether it was done in time. */
async function waitAtMost(done: Promise<void>, milliseconds: number): Promise<boolean> {
  const inTime = new AbortController();
  const late = pause(Math.min(milliseconds, LONGEST_TIMER_MS), inTime.signal).then(
    () => false,
    () => true,
  );
  const result = await Promise.race([done.then(() => true), late]);
  inTime.abort();
  return result;
}
