import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Gauge } from 'prom-client';

/**
 * Fails by throwing what is wrong, or by taking over 2 s. One that returns a promise asks somebody else: it is run at
 * most once a second, and not again while it hangs.
 */
export type Check = () => Promise<void> | void;

/** What is wrong by the name of the check; undefined when all is well. */
export type Findings = ReadonlyMap<string, string | undefined>;

const deadlineMs = 2_000;
const keptMs = 1_000;
/** Over a connection whose other end has vanished the answer would never come. */
const abandonedMs = 10_000;

const failing = new Gauge({
  name: 'baton_check_failing',
  help: 'Whether a check of /readyz?verbose fails (1) or passes (0)',
  labelNames: ['check'],
});

/** A function that runs the checks; changes of their outcome are logged. */
export function createChecker(
  checks: Readonly<Record<string, Check>>,
  logger: Logger,
): () => Promise<Findings> {
  const runs = Object.entries(checks).map(([name, check]) => ({ name, run: sparing(check) }));
  const last = new Map<string, string | undefined>();
  return async () => {
    const outcomes = await Promise.all(runs.map(async ({ name, run }) => [name, await run()] as const));
    for (const [name, problem] of outcomes) {
      failing.set({ check: name }, problem === undefined ? 0 : 1);
      if (problem === last.get(name)) continue;
      last.set(name, problem);
      if (problem === undefined) logger.info({ check: name }, 'a check passes again');
      else logger.warn({ check: name, problem }, 'a check fails');
    }
    return new Map(outcomes);
  };
}

type Run = { readonly outcome: Promise<string | undefined>; readonly begunAt: number };

function sparing(check: Check): () => Promise<string | undefined> {
  let kept: { readonly until: number; readonly outcome: string | undefined } | undefined;
  let running: Run | undefined;
  return async () => {
    if (kept !== undefined && performance.now() < kept.until) return kept.outcome;
    if (running === undefined || performance.now() > running.begunAt + abandonedMs) {
      try {
        const asked = check();
        if (asked === undefined) return undefined;
        running = begin(asked);
      } catch (error) {
        return messageOf(error);
      }
    }
    const run = running;
    const outcome = await inTime(run.outcome);
    kept = { until: performance.now() + keptMs, outcome };
    return outcome;
  };

  function begin(asked: Promise<void>): Run {
    const run: Run = {
      begunAt: performance.now(),
      outcome: asked
        .then(() => undefined, messageOf)
        .finally(() => {
          if (running === run) running = undefined;
        }),
    };
    return run;
  }
}

async function inTime(running: Promise<string | undefined>): Promise<string | undefined> {
  const ended = new AbortController();
  const late = delay(deadlineMs, `no answer within ${deadlineMs} ms`, { signal: ended.signal });
  try {
    return await Promise.race([running, late.catch(() => undefined)]);
  } finally {
    ended.abort();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
