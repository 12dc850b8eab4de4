import { DomainError } from '@baton/contracts';
import { QueryFailedError } from 'typeorm';

/**
 * What a failure of the database means: `VALIDATION_FAILED` when it refused the values themselves (SQLSTATE class 22
 * or 23), so that no retry helps, else `UNAVAILABLE`.
 */
export function toDomainError(error: unknown): DomainError {
  const state = sqlStateOf(error);
  if (/^2[23]/.test(state)) {
    return new DomainError('VALIDATION_FAILED', `The database cannot store a value: ${String(error)}`, {
      cause: error,
    });
  }
  const message =
    state === QUERY_CANCELED
      ? 'The database did not finish in time; ask for a shorter window.'
      : 'The database does not answer right now; try again.';
  return new DomainError('UNAVAILABLE', message, { cause: error, retryAfterMs: 1_000 });
}

const QUERY_CANCELED = '57014';

function sqlStateOf(error: unknown): string {
  if (!(error instanceof QueryFailedError)) return '';
  const { code } = error.driverError as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
}
