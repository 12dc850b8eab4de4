import type { Logger } from 'pino';
import { z } from 'zod';
import { ConfigError, readConfig } from './config/read-config.js';
import type { ServiceSettings } from './config/shared-settings.js';
import { createLogger } from './logger.js';
import { exitOnFault, stopOnSignal, type OnStop } from './shutdown.js';
import { explainListenError, StartError } from './start-error.js';

/**
 * Runs the start of a process. When it fails, tells why on stderr (only the text for what is meant for people, the
 * stack for anything else) and exits with status 1.
 */
export function runMain(start: () => Promise<void>): void {
  start().catch((error: unknown) => {
    process.stderr.write(`${textOf(error)}\n`);
    process.exit(1);
  });
}

/** What the start of a service is given. */
export type ServiceContext = {
  readonly logger: Logger;
  /** Says how to stop from now on; before that, a signal ends the process at once. */
  readonly onStop: OnStop;
};

/**
 * Runs a service: reads its configuration, logs as `name`, ends on signals, and tells what keeps it from starting.
 * An error that nobody caught is logged as fatal and ends it with status 1.
 */
export function runService<T extends z.ZodObject<ServiceSettings>>(
  name: string,
  schema: T,
  start: (config: z.infer<T>, context: ServiceContext) => Promise<void>,
): void {
  runMain(async () => {
    const config = readConfig(schema);
    const logger = createLogger(name, config.BATON_LOG_LEVEL);
    exitOnFault(logger);
    const { BATON_SHUTDOWN_DELAY_MS: delayMs, BATON_SHUTDOWN_DEADLINE_MS: deadlineMs } = config;
    const onStop = stopOnSignal({ logger, deadlineMs: delayMs + deadlineMs });
    await start(config, { logger, onStop }).catch((error: unknown) => {
      throw explainListenError(error, config);
    });
  });
}

function textOf(error: unknown): string {
  if (error instanceof ConfigError || error instanceof StartError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
