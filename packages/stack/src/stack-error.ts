/** What kept the stack from doing what was asked; stable, so that callers can tell the cases apart. */
export type StackErrorCode =
  | 'ALREADY_RUNNING'
  | 'DIRECTORY_REFUSED'
  | 'INVALID_SETTING'
  | 'NATS_NOT_FOUND'
  | 'NATS_START_FAILED'
  | 'NATS_TOO_OLD'
  | 'NATS_UNREACHABLE'
  | 'PORT_TAKEN'
  | 'POSTGRES_NOT_FOUND'
  | 'POSTGRES_START_FAILED'
  | 'POSTGRES_UNREACHABLE'
  | 'POSTGRES_UNUSABLE'
  | 'PROCESS_START_FAILED'
  | 'SERVICE_START_FAILED'
  | 'STATE_UNUSABLE';

/** An error whose message says what was expected, what came and what to do; print the message alone. */
export class StackError extends Error {
  readonly code: StackErrorCode;

  constructor(code: StackErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StackError';
    this.code = code;
  }
}
