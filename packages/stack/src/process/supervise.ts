import type { ExitStatus, RunningProcess } from './start-process.js';

const firstPauseMs = 500;
const longestPauseMs = 10_000;
// A process that ran this long has recovered; its next crash is a new one.
const healthyMs = 30_000;

/** What to watch over. */
export interface Supervision {
  readonly name: string;
  readonly first: RunningProcess;
  /** Starts it once more with the same data and addresses; need not wait until it can be used. */
  readonly startAgain: () => Promise<RunningProcess>;
  readonly report: (line: string) => void;
}

/** A process that is started again whenever it ends without being asked to. */
export interface Supervised {
  /** The process that runs now, or ran last. */
  current(): RunningProcess;
  /** Asks it to end, kills it after `deadlineMs` (its own deadline), and does not start it again. */
  stop(options?: { readonly deadlineMs?: number }): Promise<void>;
}

/** Watches over a process: after a crash it starts again after 0.5 s, growing to 10 s. */
export function supervise({ name, first, startAgain, report }: Supervision): Supervised {
  let current = first;
  let startedAt = performance.now();
  let pauseMs = firstPauseMs;
  let isStopping = false;
  let timer: NodeJS.Timeout | undefined;
  let restart: Promise<void> | undefined;

  const watch = (): void => {
    void current.exited.then((status) => {
      if (isStopping) return;
      if (performance.now() - startedAt > healthyMs) pauseMs = firstPauseMs;
      report(
        `${name} ${describeEnd(status)}; starting it again in ${pauseMs / 1000} s (log: ${current.logFile})`,
      );
      restartLater();
    });
  };
  const restartLater = (): void => {
    timer = setTimeout(() => {
      restart = restartNow();
    }, pauseMs);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  };
  const restartNow = async (): Promise<void> => {
    try {
      startedAt = performance.now();
      current = await startAgain();
      report(`${name} was started again (pid ${current.pid})`);
      watch();
    } catch (cause) {
      report(`${name} could not be started: ${cause instanceof Error ? cause.message : String(cause)}`);
      restartLater();
    }
  };
  watch();

  return {
    current: () => current,
    stop: async (options) => {
      isStopping = true;
      clearTimeout(timer);
      // A restart that has begun must have its process in hand before it can be stopped.
      await restart;
      clearTimeout(timer);
      await current.stop(options);
    },
  };
}

function describeEnd({ code, signal }: ExitStatus): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}
