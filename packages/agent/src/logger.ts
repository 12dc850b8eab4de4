import { inspect } from 'node:util';

/** Where the SDK reports; `console` fits. */
export type AgentLogger = {
  debug(message: string, details?: unknown): void;
  info(message: string, details?: unknown): void;
  warn(message: string, details?: unknown): void;
  error(message: string, details?: unknown): void;
};

/** Says only what somebody should look at. */
export const quietLogger: AgentLogger = {
  debug: () => {},
  info: () => {},
  warn: (message, details) => write('warn', message, details),
  error: (message, details) => write('error', message, details),
};

function write(level: 'warn' | 'error', message: string, details: unknown): void {
  const lines = details === undefined ? message : `${message} ${inspect(details)}`;
  process.stderr.write(`${level}: ${lines}\n`);
}
