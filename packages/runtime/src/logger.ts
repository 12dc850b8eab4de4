import { createRequire } from 'node:module';
import { activeTraceparent } from '@baton/telemetry';
import type { LoggerService } from '@nestjs/common';
import { destination, pino, stdTimeFunctions, type Logger } from 'pino';
import { follow } from './log-level.js';
import { redact } from './redact.js';

/**
 * JSON lines on stdout: level as a word, ISO time, the service's name, errors under `err`, and inside of a span that is
 * recorded its `trace_id` and `span_id`. On a terminal, for people. Secrets are left out of both.
 */
export function createLogger(service: string, level = 'info', stream: Stream = standardOutput()): Logger {
  const logger: Logger = pino(
    {
      level,
      base: { service },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      mixin: traceFields,
      hooks: { streamWrite: redact },
      onChild: (child) => follow(logger, child),
    },
    stream,
  );
  return logger;
}

type Stream = { write(line: string): void };

/** Asynchronous writes, the default, lose the last lines at process.exit: the ones that tell why. */
function standardOutput(): Stream {
  return process.stdout.isTTY ? prettyTo(1) : destination({ dest: 1, sync: true });
}

/** Lines for people, in colours where `to` is a terminal that has some. Only a terminal pays for its loading. */
export function prettyTo(to: 1 | NodeJS.WritableStream): Stream {
  const { PinoPretty } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  const ignore = 'service,span_id';
  return PinoPretty({
    destination: to,
    sync: true,
    ignore,
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: '{service}: {msg}',
  });
}

function traceFields(): object {
  const [, traceId, spanId, flags] = activeTraceparent()?.split('-') ?? [];
  return flags === '01' ? { trace_id: traceId, span_id: spanId } : {};
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
