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

/** Never inside JSON text, where control characters are escaped; and no JSON text is empty. */
const SEPARATOR = '\x1e';

/**
 * JSON texts as one parameter for `jsonArray`. An array literal would escape every quote of every text, which was the
 * most expensive function of the write path.
 */
export function joinJson(texts: readonly (string | null)[]): string {
  return texts.map((text) => text ?? '').join(SEPARATOR);
}

/** The SQL that takes `joinJson` apart again. */
export function jsonArray(parameter: string): string {
  return `string_to_array(${parameter}::text, E'\\x1e', '')::json[]`;
}
