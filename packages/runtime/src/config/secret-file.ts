import { readFileSync } from 'node:fs';

/** The content of a secret's file without one line break at its end, or what is wrong with it. */
export function readSecretFile(
  variable: string,
  path: string,
): { readonly value: string } | { readonly problem: string } {
  const expected = 'expected a file that this process may read and that holds nothing but the value';
  try {
    const value = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (value !== '') return { value };
    return { problem: `${variable}: ${JSON.stringify(path)} is empty, ${expected}` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { problem: `${variable}: ${JSON.stringify(path)} cannot be read (${code}), ${expected}` };
  }
}
