import { DomainError } from '@baton/contracts';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';

type UnavailableReason = 'timeout' | 'no_responders' | 'disconnected' | 'stream_missing' | 'refused';

const retryAfterMs = 1_000;

export function unavailable(reason: UnavailableReason, message: string, cause?: unknown): DomainError {
  return new DomainError('UNAVAILABLE', message, { details: { reason }, retryAfterMs, cause });
}

/** What a failed request means to its caller. Faults of the caller's own making come through unchanged. */
export function toRequestError(error: unknown, subject: string, timeoutMs: number): unknown {
  if (error instanceof errors.TimeoutError) {
    return unavailable(
      'timeout',
      `${subject}: no answer within ${timeoutMs} ms; it may still take effect`,
      error,
    );
  }
  if (error instanceof errors.RequestError && error.isNoResponders()) {
    return unavailable('no_responders', `${subject}: nobody answers requests on it now; try again`, error);
  }
  return toConnectionError(error, subject);
}

/** What a failed JetStream publish means to its caller. */
export function toPublishError(error: unknown, subject: string): unknown {
  if (error instanceof DomainError) return error;
  if (error instanceof errors.TimeoutError) {
    return unavailable('timeout', `${subject}: JetStream did not acknowledge in time; publish again`, error);
  }
  if (isNoStream(error)) {
    return unavailable('stream_missing', `${subject}: no stream takes it; is JetStream enabled?`, error);
  }
  if (error instanceof JetStreamApiError) {
    return unavailable('refused', `${subject}: JetStream refused it: ${error.message}`, error);
  }
  return toConnectionError(error, subject);
}

/** No stream takes the subject, or JetStream is off. The client does not export the class. */
export function isNoStream(error: unknown): boolean {
  return error instanceof Error && error.name === 'JetStreamNotEnabled';
}

/** The stream or the consumer does not exist. */
export function isNotFound(error: unknown): boolean {
  const codes: readonly number[] = [JetStreamApiCodes.StreamNotFound, JetStreamApiCodes.ConsumerNotFound];
  return error instanceof JetStreamApiError && codes.includes(error.code);
}

function toConnectionError(error: unknown, subject: string): unknown {
  if (error instanceof errors.InvalidArgumentError && error.message.includes('max_payload')) {
    return new DomainError('PAYLOAD_TOO_LARGE', `${subject}: larger than the NATS server takes; send less`, {
      cause: error,
    });
  }
  const lost =
    error instanceof errors.ClosedConnectionError ||
    error instanceof errors.DrainingConnectionError ||
    error instanceof errors.RequestError;
  return lost ? unavailable('disconnected', `${subject}: the connection to NATS was lost`, error) : error;
}
