import { endTracing } from '@baton/telemetry';
import type { Logger } from 'pino';

export type ShutdownOptions = {
  readonly logger: Logger;
  /** How long the stop may take before the process exits anyway, with status 1. */
  readonly deadlineMs: number;
};

/** Sets how to stop. Called again, the newer way counts. */
export type OnStop = (stop: () => Promise<void>) => void;

/**
 * On SIGTERM or SIGINT stops once, in the way set by then, and exits: status 0, or 1 when the stop failed or overran
 * its deadline. A second signal exits at once with status 1.
 */
export function stopOnSignal({ logger, deadlineMs }: ShutdownOptions): OnStop {
  let stop = (): Promise<void> => Promise.resolve();
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) {
      logger.warn({ signal }, 'a second signal: exiting at once');
      process.exit(1);
    }
    stopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.error({ deadlineMs }, 'the shutdown overran its deadline: exiting');
      process.exit(1);
    }, deadlineMs);
    void stop().then(
      () => {
        logger.info('stopped');
        return exit(0);
      },
      (error: unknown) => {
        logger.error({ err: error }, 'the shutdown failed');
        return exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return (newer) => {
    stop = newer;
  };
}

/** Last of all, so that what the stop itself did is in the traces too. */
async function exit(status: number): Promise<never> {
  await endTracing();
  process.exit(status);
}

/** Logs an exception or a rejected promise that nobody caught as fatal and exits with status 1. */
export function exitOnFault(logger: Logger): void {
  // Rejections come here too: with a listener of their own they would not end the process.
  process.on('uncaughtException', (error, origin) => {
    logger.fatal({ err: error, origin }, 'an error that nobody caught: exiting');
    process.exit(1);
  });
}
