import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

import { readSecret } from '../settings.js';
import { StackError } from '../stack-error.js';

/** The first API key of an installation. */
export interface AdminKey {
  readonly key: string;
  /** Where it is kept; undefined when the environment gives it. */
  readonly file: string | undefined;
}

/** The key that the environment gives, or that of the file, made at the first start and readable by its owner alone. */
export async function adminKey(environment: NodeJS.ProcessEnv, file: string): Promise<AdminKey> {
  const given = readSecret(environment, 'BATON_ADMIN_KEY');
  if (given !== undefined) return { key: given, file: undefined };
  const made = `baton_${randomBytes(32).toString('hex')}`;
  const isMade = await writeFile(file, `${made}\n`, { mode: 0o600, flag: 'wx' }).then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST') return false;
      throw cause;
    },
  );
  if (isMade) return { key: made, file };
  const key = (await readFile(file, 'utf8')).trim();
  if (/^baton_[A-Za-z0-9]{32,128}$/.test(key)) return { key, file };
  throw new StackError(
    'STATE_UNUSABLE',
    `${file} should hold an API key (baton_ and 32 to 128 letters and digits), but does not: it was cut off or ` +
      `changed. Remove it (rm '${file}'): the next start makes another one.`,
  );
}
