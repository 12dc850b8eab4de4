import { z } from 'zod';

/**
 * The error catalogue: code, HTTP status, whether the same request may succeed later, and the title people read.
 * `docs/errors.md` is generated from it.
 */
export const ERRORS = {
  VALIDATION_FAILED: { status: 400, retryable: false, title: 'The request is not what was expected' },
  UNSUPPORTED_VERSION: { status: 400, retryable: false, title: 'The protocol version is not supported' },
  QUERY_NOT_SUPPORTED: { status: 400, retryable: false, title: 'No index serves this filter in this order' },
  UNAUTHENTICATED: {
    status: 401,
    retryable: false,
    title: 'The caller must show a key or token that is valid',
  },
  FORBIDDEN: { status: 403, retryable: false, title: 'The caller may not do this' },
  ENROLMENT_REFUSED: {
    status: 403,
    retryable: false,
    title: 'The token or the key does not entitle the agent to credentials',
  },
  ROUTE_NOT_FOUND: { status: 404, retryable: false, title: 'There is no such route' },
  TASK_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'There is no such task, or the caller may not see it',
  },
  OPERATION_NOT_FOUND: { status: 404, retryable: false, title: 'There is no such operation' },
  AGENT_NOT_FOUND: { status: 404, retryable: false, title: 'There is no such agent' },
  TYPE_NOT_FOUND: { status: 404, retryable: false, title: 'The task type is not registered' },
  POLICY_NOT_FOUND: { status: 404, retryable: false, title: 'There is no such policy' },
  TOKEN_NOT_FOUND: { status: 404, retryable: false, title: 'There is no such enrolment token' },
  KEY_NOT_FOUND: { status: 404, retryable: false, title: 'There is no such API key' },
  CONNECTION_NOT_FOUND: { status: 404, retryable: false, title: 'The two agents are not connected that way' },
  AGENT_EXISTS: { status: 409, retryable: false, title: 'An agent with this id is registered already' },
  KEY_EXISTS: { status: 409, retryable: false, title: 'An API key of this name was made before' },
  TASK_STATE_CONFLICT: { status: 409, retryable: false, title: 'The state of the task does not allow this' },
  STALE_ATTEMPT: { status: 409, retryable: false, title: 'The task is no longer held with this attempt' },
  STALE_SESSION: { status: 409, retryable: false, title: 'Another process of the agent holds the session' },
  STALE_SHARD: { status: 409, retryable: true, title: 'Another distributor owns the agent by now' },
  AGENT_AT_CAPACITY: { status: 409, retryable: true, title: 'The agent has no free slot' },
  NO_AGENT: { status: 409, retryable: true, title: 'No agent can have the task now' },
  AGENT_NOT_ONLINE: { status: 409, retryable: true, title: 'The agent is not online' },
  PAUSED: { status: 409, retryable: true, title: 'Distribution is paused' },
  TYPE_AT_CAPACITY: {
    status: 409,
    retryable: true,
    title: 'As many tasks of the type are worked on as may be at once',
  },
  TASK_HAS_DEPENDENTS: { status: 409, retryable: false, title: 'Other tasks wait for the task' },
  VERSION_MISMATCH: { status: 412, retryable: false, title: 'The task has changed since it was read' },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false, title: 'The request is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false, title: 'The content type is not supported' },
  IDEMPOTENCY_MISMATCH: {
    status: 422,
    retryable: false,
    title: 'The idempotency key was used with another body',
  },
  INVALID_RESULT: {
    status: 422,
    retryable: false,
    title: 'The result is not what the type of the task asks for',
  },
  DEPENDENCY_CYCLE: { status: 422, retryable: false, title: 'The dependencies form a cycle' },
  DEPENDENCY_NOT_FOUND: { status: 422, retryable: false, title: 'A dependency does not exist' },
  DELEGATION_NOT_CONNECTED: {
    status: 422,
    retryable: false,
    title: 'The agent is not connected to the one it names',
  },
  DELEGATION_CAPABILITY: { status: 422, retryable: false, title: 'The agent named is not one for this task' },
  DELEGATION_CYCLE: { status: 422, retryable: false, title: 'The agent named handed this work on before' },
  DELEGATION_DRAINING: { status: 422, retryable: false, title: 'The agent named takes no further tasks' },
  DELEGATION_DEPTH: {
    status: 422,
    retryable: false,
    title: 'The task tree would be too deep, or the work handed on too often',
  },
  DELEGATION_FANOUT: { status: 422, retryable: false, title: 'The parent task has too many children' },
  BUDGET_EXCEEDED: { status: 422, retryable: false, title: 'The budget of the task tree is spent' },
  TOO_MANY_LOG_LINES: { status: 422, retryable: false, title: 'The log of the task is full' },
  TOO_MANY_ARTIFACTS: { status: 422, retryable: false, title: 'The task has as many artifacts as may be' },
  TOO_MANY_POLICIES: { status: 422, retryable: false, title: 'There are as many policies as may be' },
  TOO_MANY_TYPES: { status: 422, retryable: false, title: 'There are as many task types as may be' },
  RATE_LIMITED: { status: 429, retryable: true, title: 'Too many requests' },
  INTERNAL: { status: 500, retryable: false, title: 'Something is broken inside Baton' },
  NOT_CONFIGURED: { status: 501, retryable: false, title: 'This installation is not set up for it' },
  UNAVAILABLE: { status: 503, retryable: true, title: 'Baton cannot answer this right now' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

/** One thing wrong with the input, by JSON pointer. */
const problem = z.object({ pointer: z.string(), code: z.string(), detail: z.string() });
export type Problem = Readonly<z.infer<typeof problem>>;

/** How an error travels to agents and between services. */
export const errorBody = z.object({
  code: errorCode,
  message: z.string(),
  retryable: z.boolean(),
  retryAfterMs: z.number().exactOptional(),
  details: z.record(z.string(), z.unknown()).exactOptional(),
});
export type ErrorBody = Readonly<z.infer<typeof errorBody>>;

/** How an error looks over HTTP: a problem document (RFC 9457). */
export const problemDocument = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  instance: z.string(),
  code: errorCode,
  retryable: z.boolean(),
  retryAfterMs: z.number().exactOptional(),
  traceId: z.string().exactOptional(),
  /** Everything wrong with the input. */
  errors: z.array(problem).exactOptional(),
  details: z.record(z.string(), z.unknown()).exactOptional(),
});

type DomainErrorOptions = {
  readonly details?: Readonly<Record<string, unknown>>;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
};

/** A refusal with a code of the catalogue. `message` says what was expected, what came and what to do. */
export class DomainError extends Error {
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: DomainErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'DomainError';
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}
