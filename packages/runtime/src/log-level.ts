import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Children keep the level they were born with: those of each logger, so that a change reaches them as well. */
const children = new WeakMap<Logger, Set<Logger>>();

/** Has changes of the level of `logger` reach its child too. */
export function follow(logger: Logger, child: Logger): void {
  const known = children.get(logger);
  if (known === undefined) children.set(logger, new Set([child]));
  else known.add(child);
}

/** Changes what a logger and its children tell, until the process ends. */
export function setLogLevel(logger: Logger, level: LogLevel): void {
  logger.level = level;
  for (const child of children.get(logger) ?? []) child.level = level;
}

export type Answer = { readonly status: number; readonly body: string };

const BODY_BYTES = 100;

/** `GET /loglevel`, and `PUT /loglevel` with a level as its text, which only this machine may ask. */
export async function answerLogLevel(request: IncomingMessage, logger: Logger): Promise<Answer> {
  if (request.method !== 'PUT') return { status: 200, body: logger.level };
  if (!isLocal(request)) return { status: 403, body: 'only from this machine (in a container: exec)' };
  const asked = await read(request);
  const level = LOG_LEVELS.find((one) => one === asked);
  if (level === undefined) return { status: 400, body: `expected one of ${LOG_LEVELS.join(', ')}` };
  setLogLevel(logger, level);
  // Told whatever the level is now: somebody will wonder where the lines come from, or went.
  logger[level]({ log_level: level }, 'the level of the log was changed');
  return { status: 200, body: level };
}

function isLocal({ socket }: IncomingMessage): boolean {
  const { remoteAddress = '' } = socket;
  return /^(::ffff:)?127\.|^::1$/.test(remoteAddress);
}

/** To the end, so that the answer comes through; what is longer than any level is none. */
async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request) {
    if (text.length <= BODY_BYTES) text += String(part);
  }
  return text.trim();
}
