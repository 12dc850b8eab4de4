import { StackError } from '../stack-error.js';

/** Adds something to be undone when the program stops; the last added is undone first. */
export type OnStop = (undo: () => Promise<void>) => void;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
// Ctrl-C reaches us twice, from the terminal and forwarded by npm; that is one wish, not two.
const sameWishMs = 1_000;

/**
 * Runs `start` and stays until the program is interrupted (Ctrl-C, SIGTERM), then undoes what it asked
 * for and exits with 0. A second interruption exits at once. A failing start undoes what was done, says
 * why and exits with 1.
 */
export async function runUntilInterrupted(start: (onStop: OnStop) => Promise<void>): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  let interruptedAt: number | undefined;

  const stop = async (exitCode: number): Promise<never> => {
    for (let next = undo.pop(); next !== undefined; next = undo.pop()) await next().catch(printFailure);
    process.exit(exitCode);
  };
  const interrupted = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (interruptedAt === undefined) {
      interruptedAt = now;
      console.error('\nStopping; press Ctrl-C again to stop at once');
      // What has not registered yet is stopped by the guard of our children when we exit.
      void stop(0);
      return;
    }
    if (now - interruptedAt < sameWishMs) return;
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  for (const signal of signals) process.on(signal, interrupted);

  try {
    await start((step) => undo.push(step));
  } catch (cause) {
    if (interruptedAt !== undefined) return;
    printFailure(cause);
    await stop(1);
  }
}

function printFailure(cause: unknown): void {
  console.error(cause instanceof StackError ? `\n${cause.message}` : cause);
}
