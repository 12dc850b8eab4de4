import { UsageError } from './usage-error.js';

/** The number an option was given, or nothing when it was not. Throws UsageError, ending with the usage. */
export function wholeNumber(
  name: string,
  text: string | undefined,
  { min, max }: { readonly min: number; readonly max: number },
  usage: string,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(
    `--${name} must be a whole number from ${min} to ${max}, but is "${text}"\n\n${usage}`,
  );
}
