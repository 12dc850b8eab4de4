import type { Stack } from './start-stack.js';

/** What curl sends as a header so that the REST APIs let it in, as a word of a shell. */
export function keyHeader({ adminKeyFile }: Pick<Stack, 'adminKeyFile'>): string {
  return `"authorization: Bearer $(cat ${inShell(adminKeyFile ?? 'FILE')})"`;
}

/** A path as one word of a shell. */
export function inShell(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
