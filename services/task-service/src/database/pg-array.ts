/** A value that becomes one element of a Postgres array. */
export type Element = string | number | boolean | null | undefined;

/**
 * The text form of a one-dimensional Postgres array. Batches go to the database as one array per column, and the
 * driver's own encoder, which inspects every element for nesting, costs about four times as much per element.
 */
export function pgArray(values: readonly Element[]): string {
  let text = '{';
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ',';
    const value = values[index];
    if (value === null || value === undefined) text += 'NULL';
    else if (typeof value === 'string') text += quote(value);
    else text += String(value);
  }
  return `${text}}`;
}

const SPECIAL = /["\\]/g;

function quote(value: string): string {
  return `"${value.includes('"') || value.includes('\\') ? value.replace(SPECIAL, '\\$&') : value}"`;
}
