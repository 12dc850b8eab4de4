import { DomainError } from '@baton/contracts';
import { DatabaseError } from 'pg';

/** What to do with a transaction the database did not take. */
export type Failure = 'input' | 'conflict' | 'unreachable' | 'fault';

const IDLE_IN_TRANSACTION = '25P03';
/** Serialisation, deadlock, and a lock that a statement would not wait for (any longer). */
const CONFLICTS = new Set(['40001', '40P01', '55P03']);
/** Classes: 08 connection, 57 operator intervention (shutdown, crash), 53 resources, 55 locks not available. */
const UNREACHABLE = new Set(['08', '53', '55', '57']);

/**
 * `input`: one command of the batch carries something the database refuses (class 22, 23); `conflict`: others hold what
 * it needs, or went first, to be retried; `unreachable`: no database to talk to right now; `fault`: ours.
 * A missing partition is class 23 too, and no fault of any command.
 */
export function classify(error: unknown): Failure {
  if (!(error instanceof DatabaseError)) return isConnectionLoss(error) ? 'unreachable' : 'fault';
  const code = error.code ?? '';
  if (CONFLICTS.has(code)) return 'conflict';
  // A statement of ours that takes too long would take as long again.
  if (code === '57014') return 'fault';
  if (code === IDLE_IN_TRANSACTION || UNREACHABLE.has(code.slice(0, 2))) return 'unreachable';
  const isMissingPartition = code === '23514' && error.constraint === undefined;
  return (code.startsWith('22') || code.startsWith('23')) && !isMissingPartition ? 'input' : 'fault';
}

const SOCKET_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);

/** An error of the database that passes by itself, as the refusal a caller may repeat; anything else as it is. */
export function translateOutage(error: unknown): unknown {
  const failure = error instanceof DomainError ? 'fault' : classify(error);
  if (failure !== 'unreachable' && failure !== 'conflict') return error;
  const message = 'The database cannot be reached right now; nothing was changed. Try again.';
  return new DomainError('UNAVAILABLE', message, { cause: error, retryAfterMs: 1_000 });
}

/** The driver reports a lost connection by the socket's error code, or by message alone. */
function isConnectionLoss(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, message, errors } = error as { code?: unknown; message?: unknown; errors?: unknown };
  if (SOCKET_ERRORS.has(String(code))) return true;
  // Several addresses of one host, each refused.
  if (Array.isArray(errors)) return errors.some(isConnectionLoss);
  return /connection terminated|timeout|not queryable|connection error/i.test(String(message));
}
