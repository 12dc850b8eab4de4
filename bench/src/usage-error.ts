/** Why a command line cannot be followed; the message ends with the usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
