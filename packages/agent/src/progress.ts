import type { Usage } from '@baton/contracts';

/** A run never reports more often than this. */
const SPACING_MS = 250;

export type ProgressReport = {
  readonly percent: number;
  readonly message?: string;
  readonly usage?: Usage;
};

/** Coalesces the progress of all runs: the latest report of each wins, one timer for all. */
export type Progress<R> = {
  report(run: R, report: ProgressReport): void;
  forget(run: R): void;
  stop(): void;
};

/** `send` resolves when the report was answered; a run has one report in flight. */
export function createProgress<R>(send: (run: R, report: ProgressReport) => Promise<void>): Progress<R> {
  const latest = new Map<R, ProgressReport>();
  const inFlight = new Set<R>();
  let flushedAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;

  function arm(): void {
    timer ??= setTimeout(flush, Math.max(0, flushedAt + SPACING_MS - performance.now()));
  }

  function flush(): void {
    timer = undefined;
    flushedAt = performance.now();
    for (const [run, report] of latest) {
      if (inFlight.has(run)) continue;
      latest.delete(run);
      inFlight.add(run);
      void send(run, report).finally(() => {
        inFlight.delete(run);
        if (latest.has(run)) arm();
      });
    }
  }

  return {
    report(run, report) {
      latest.set(run, report);
      if (!inFlight.has(run)) arm();
    },
    forget: (run) => void latest.delete(run),
    stop() {
      clearTimeout(timer);
      latest.clear();
    },
  };
}
