import { ConfigError } from './config.js';

/**
 * Runs the start of a process. When it fails, tells why on stderr (only the text for a `ConfigError`, the stack
 * for anything else) and exits with status 1.
 */
export function runMain(start: () => Promise<void>): void {
  start().catch((error: unknown) => {
    process.stderr.write(`${textOf(error)}\n`);
    process.exit(1);
  });
}

function textOf(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
