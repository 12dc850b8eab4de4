// npm run audit:verify: replays every history in the database of DATABASE_URL, else in the stack's own, which is
// started for that time unless it runs. The exit status is that of task-service's own program.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { checkoutDirectory, chosenState } from '../checkout.js';
import { checkOwnPostgres } from '../postgres/own-postgres.js';
import { withStackDatabase } from '../postgres/stack-database.js';
import { readSecret } from '../settings.js';
import { StackError } from '../stack-error.js';
import { knownWords } from './command-line.js';

const program = join(checkoutDirectory, 'services/task-service/dist/audit-verify.js');
const words = knownWords('npm run audit:verify', ['--json']);
try {
  const url = readSecret(process.env, 'DATABASE_URL');
  if (url === undefined) {
    const report = (line: string) => console.error(line);
    process.exitCode = await withStackDatabase({ directory: chosenState(), report }, (own) =>
      verify(own.url),
    );
  } else {
    await checkOwnPostgres({ url, variable: 'DATABASE_URL', purposes: ['tables'] });
    process.exitCode = await verify(url);
  }
} catch (cause) {
  console.error(cause instanceof StackError ? cause.message : cause);
  process.exitCode = 1;
}

async function verify(url: string): Promise<number> {
  const { DATABASE_URL_FILE: _file, ...environment } = process.env;
  const child = spawn(process.execPath, [program, ...(words === '' ? [] : [words])], {
    env: { ...environment, DATABASE_URL: url },
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
