import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';

import { StackError } from '../stack-error.js';

/**
 * The content of a JSON file; undefined when it does not exist. Rejects with STATE_UNUSABLE when it holds no object
 * with all of these fields.
 */
export async function readJson<Content extends object>(
  file: string,
  fields: readonly (keyof Content & string)[] = [],
): Promise<Content | undefined> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  if (text === undefined) return undefined;
  const content = parseObject(text) as Content | undefined;
  if (content !== undefined && fields.every((field) => Object.hasOwn(content, field))) return content;
  const expected = fields.length === 0 ? 'a JSON object' : `a JSON object with ${fields.join(', ')}`;
  throw new StackError(
    'STATE_UNUSABLE',
    `${file} should hold ${expected}, but does not: it was cut off or changed. ${advice(file)}`,
  );
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

// The passwords belong to the data; the other files are made again.
function advice(file: string): string {
  const reset = '"npm run reset" removes all state and begins anew';
  if (basename(file) === 'secrets.json') return `Put back a copy of it, or give the data up: ${reset}.`;
  return `Remove the file if no Baton runs there (rm '${file}'); ${reset}.`;
}

/** Replaces a JSON file as a whole, readable by its owner alone. */
export async function writeJson(file: string, content: unknown): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
}
