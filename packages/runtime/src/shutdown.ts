import type { Logger } from 'pino';

export type ShutdownOptions = {
  readonly logger: Logger;
  /** How long `stop` may take before the process exits anyway, with status 1; default 20 s. */
  readonly deadlineMs?: number;
};

/**
 * On SIGTERM or SIGINT calls `stop` once, then exits: status 0, or 1 when `stop` failed or overran its deadline.
 * A second signal exits at once with status 1.
 */
export function runUntilSignal(stop: () => Promise<void>, options: ShutdownOptions): void {
  const { logger, deadlineMs = 20_000 } = options;
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
    stop().then(
      () => {
        logger.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ err: error }, 'the shutdown failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
