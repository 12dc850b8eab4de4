import type { ExitStatus, RunningProcess } from '../process/start-process.js';
import { startPlanned, type ServiceContext, type ServicePlan } from './service-process.js';

const firstPauseMs = 500;
const longestPauseMs = 10_000;
// A service that ran this long has recovered; its next crash is a new one.
const healthyMs = 30_000;

/** A service that is started again whenever it ends without being asked to. */
export interface SupervisedService {
  readonly name: string;
  readonly httpUrl: string | undefined;
  readonly operationsUrl: string;
  /** The process that runs now, or ran last. */
  current(): RunningProcess;
  /** Asks it to end (SIGTERM), kills it after 10 s, and does not start it again. */
  stop(): Promise<void>;
}

/** Watches over a started service: after a crash it starts again after 0.5 s, growing to 10 s. */
export function superviseService(
  plan: ServicePlan,
  first: RunningProcess,
  context: { readonly stack: ServiceContext['stack']; readonly report: (line: string) => void },
): SupervisedService {
  const { report, stack } = context;
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
        `${plan.name} ${describeEnd(status)}; starting it again in ${pauseMs / 1000} s (log: ${current.logFile})`,
      );
      startLater();
    });
  };
  const startLater = (): void => {
    timer = setTimeout(() => {
      restart = startAgain();
    }, pauseMs);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  };
  const startAgain = async (): Promise<void> => {
    try {
      startedAt = performance.now();
      current = await startPlanned(plan, stack);
      watch();
    } catch (cause) {
      report(`${plan.name} could not be started: ${cause instanceof Error ? cause.message : String(cause)}`);
      startLater();
    }
  };
  watch();

  return {
    name: plan.name,
    httpUrl: plan.httpUrl,
    operationsUrl: plan.operationsUrl,
    current: () => current,
    stop: async () => {
      isStopping = true;
      clearTimeout(timer);
      // A restart that has begun must have its process in hand before it can be stopped.
      await restart;
      clearTimeout(timer);
      await current.stop();
    },
  };
}

function describeEnd({ code, signal }: ExitStatus): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}
