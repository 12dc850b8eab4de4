import {
  DomainError,
  ERRORS,
  taskError,
  type Block,
  type ErrorBody,
  type ErrorCode,
  type TaskError,
} from '@baton/contracts';

/**
 * Thrown by a handler to fail its task with a code of its own; `retryable` says whether another try may help. With the
 * code `rate_limited` and `retryAfter` (seconds) the task waits that long, and no retry is used up.
 */
export class TaskFailure extends Error {
  readonly retryable: boolean;
  readonly retryAfter: number | undefined;

  constructor(
    readonly code: string,
    message: string,
    options: { readonly retryable?: boolean; readonly retryAfter?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'TaskFailure';
    this.retryable = options.retryable ?? true;
    this.retryAfter = options.retryAfter;
  }
}

export type ReturnReason = 'draining' | 'declined';

/** Thrown by a handler to give its task back unharmed; `declined` keeps this agent from getting it again. */
export class ReturnTask extends Error {
  constructor(readonly reason: ReturnReason = 'declined') {
    super(`the agent gives the task back: ${reason}`);
    this.name = 'ReturnTask';
  }
}

/** Thrown by a handler to give its slot away until something named has happened; then it is called anew. */
export class BlockTask extends Error {
  constructor(readonly block: Block) {
    super(`the task waits for ${block.reason}`);
    this.name = 'BlockTask';
  }
}

/**
 * Why a handler must stop: the task was cancelled, handed on by itself (`delegated`), taken away (`revoked`), turned out to be no longer held
 * (`stale`), this process lost its session, or the agent's time to finish is over (`shutdown`).
 */
export type AbortKind = 'cancelled' | 'delegated' | 'revoked' | 'stale' | 'session_lost' | 'shutdown';

/** The reason of a handler's aborted signal. Nothing the handler does afterwards reaches Baton. */
export class TaskAborted extends Error {
  constructor(
    readonly kind: AbortKind,
    detail?: string | null,
  ) {
    super(detail ? `the task was stopped (${kind}): ${detail}` : `the task was stopped (${kind})`);
    this.name = 'TaskAborted';
  }
}

/** What a handler's throw says about its task. */
export function toTaskError(thrown: unknown): TaskError {
  const error =
    thrown instanceof TaskFailure
      ? {
          code: thrown.code,
          message: thrown.message,
          retryable: thrown.retryable,
          ...(thrown.retryAfter === undefined ? {} : { retryAfter: thrown.retryAfter }),
        }
      : { code: 'failed', message: messageOf(thrown), retryable: true };
  const valid = taskError.safeParse(error);
  if (valid.success) return valid.data;
  return {
    code: taskError.shape.code.safeParse(error.code).data ?? 'failed',
    // Cut by characters so that at most 8 KiB of UTF-8 remain, whatever the characters are.
    message: error.message.slice(0, 2_048).replaceAll(/\0|\p{Surrogate}/gu, '\u{FFFD}'),
    retryable: error.retryable,
  };
}

/** An error as it came over the wire. A code this SDK does not know yet keeps only whether to try again. */
export function fromErrorBody(body: ErrorBody): DomainError {
  const known = Object.hasOwn(ERRORS, body.code);
  const unknownAs: ErrorCode = body.retryable ? 'UNAVAILABLE' : 'TASK_STATE_CONFLICT';
  return new DomainError(known ? body.code : unknownAs, body.message, {
    ...(body.retryAfterMs === undefined ? {} : { retryAfterMs: body.retryAfterMs }),
    ...(known ? optionalDetails(body) : { details: { ...body.details, code: body.code } }),
  });
}

function optionalDetails(body: ErrorBody): { details?: Readonly<Record<string, unknown>> } {
  return body.details === undefined ? {} : { details: body.details };
}

/** Nobody answered; the request may or may not have been heard. */
export function unavailable(
  reason: 'timeout' | 'no_responders' | 'disconnected' | 'stopped',
  subject: string,
): DomainError {
  const why = {
    timeout: 'no answer in time',
    no_responders: 'no task-service is listening',
    disconnected: 'the connection to NATS is down',
    stopped: 'the agent was stopped',
  }[reason];
  return new DomainError('UNAVAILABLE', `expected an answer to ${subject}, but ${why}`, {
    details: { reason },
  });
}

/** Whether the same request may be answered later: outages, and faults inside Baton. */
export function mayPass(error: unknown): boolean {
  return !(error instanceof DomainError) || error.retryable || error.code === 'INTERNAL';
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
