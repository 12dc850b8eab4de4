import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';

import { StackError } from '../stack-error.js';

/** The content of a JSON file; undefined when it does not exist. */
export async function readJson<Content>(file: string): Promise<Content | undefined> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Content;
  } catch (cause) {
    throw new StackError(
      'STATE_UNUSABLE',
      `${file} should hold JSON, but does not (${String(cause)}). Remove the file, or run "npm run reset".`,
      { cause },
    );
  }
}

/** Replaces a JSON file as a whole, readable by its owner alone. */
export async function writeJson(file: string, content: unknown): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
}
