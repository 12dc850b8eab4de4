/** Why a query cannot be read: what was expected at a position, and what came. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  /** Where in the text, counted in characters from 1. */
  readonly position: number;

  constructor(index: number, problem: string) {
    super(`at character ${index + 1}: ${problem}`);
    this.position = index + 1;
  }
}

/** What came, in quotes and no longer than a message should be. */
export function show(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
