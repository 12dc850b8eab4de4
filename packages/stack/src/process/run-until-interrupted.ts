import { once } from 'node:events';
import { StackError } from '../stack-error.js';
import { startSession } from './session.js';

/**
 * Runs `start` and stays until the program is interrupted (Ctrl-C, SIGTERM), then undoes what it asked for, the last
 * first, and exits with 0. A second interruption exits at once. A failing start undoes what was done, says why and
 * exits with 1.
 */
export async function runUntilInterrupted(
  start: (onStop: (undo: () => Promise<void>) => void) => Promise<void>,
): Promise<void> {
  const session = startSession((line) => console.error(line));
  const { interrupted } = session;
  const stopped = once(interrupted, 'abort');
  // Nothing else may keep the process up while it waits.
  const stay = setInterval(() => undefined, 3_600_000);
  let exitCode = 0;
  try {
    // An interrupted start is not waited for: what it has not registered yet is stopped with our children's guard.
    await Promise.race([stopped, start((undo) => session.onEnd(undo)).then(() => stopped)]);
  } catch (cause) {
    console.error(cause instanceof StackError ? `\n${cause.message}` : cause);
    exitCode = 1;
  }
  clearInterval(stay);
  await session.end();
  process.exit(exitCode);
}
