import type { LoggerService } from '@nestjs/common';
import { destination, pino, stdTimeFunctions, type Logger } from 'pino';

/** JSON lines on stdout: level as a word, ISO time, the service's name; errors under `err`. */
export function createLogger(service: string, level = 'info'): Logger {
  const options = {
    level,
    base: { service },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Asynchronous writes, the default, lose the last lines at process.exit: the ones that tell why.
  return pino(options, destination({ dest: 1, sync: true }));
}

/** Lets Nest log through pino. Its account of every module and route at start is worth `debug` only. */
export function nestLogger(logger: Logger): LoggerService {
  return {
    log: (message, ...rest) => write(logger, 'debug', message, rest),
    warn: (message, ...rest) => write(logger, 'warn', message, rest),
    error: (message, ...rest) => write(logger, 'error', message, rest),
    fatal: (message, ...rest) => write(logger, 'fatal', message, rest),
    debug: (message, ...rest) => write(logger, 'debug', message, rest),
    verbose: (message, ...rest) => write(logger, 'trace', message, rest),
  };
}

type Level = 'trace' | 'debug' | 'warn' | 'error' | 'fatal';

/** Nest passes (message, context), and for errors (message or error, stack?, context). */
function write(logger: Logger, level: Level, message: unknown, rest: readonly unknown[]): void {
  if (!logger.isLevelEnabled(level)) return;
  const context = rest.at(-1);
  const stack = rest.length > 1 ? rest[0] : undefined;
  const fields = {
    ...(typeof context === 'string' ? { context } : {}),
    ...(typeof stack === 'string' ? { stack } : {}),
  };
  if (message instanceof Error) logger[level]({ ...fields, err: message }, message.message);
  else logger[level](fields, typeof message === 'string' ? message : JSON.stringify(message));
}
