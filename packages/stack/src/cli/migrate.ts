// npm run migrate: checks DATABASE_URL as a start would, then runs the migrations of task-service.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { checkoutDirectory } from '../checkout.js';
import { checkOwnPostgres } from '../postgres/own-postgres.js';
import { readSecret } from '../settings.js';
import { StackError } from '../stack-error.js';
import { knownWords } from './command-line.js';

knownWords('npm run migrate');
try {
  const url = readSecret(process.env, 'DATABASE_URL');
  if (url === undefined) {
    throw new StackError(
      'INVALID_SETTING',
      'DATABASE_URL is not set, so there is no database to migrate. Set it to postgresql://user:password@host:5432/database; ' +
        'the embedded Postgres needs no "npm run migrate": every "npm start" brings it up to date.',
    );
  }
  await checkOwnPostgres({ url, variable: 'DATABASE_URL', purposes: ['tables'] });
  await import(pathToFileURL(join(checkoutDirectory, 'services/task-service/dist/migrate.js')).href);
} catch (cause) {
  console.error(cause instanceof StackError ? cause.message : cause);
  process.exitCode = 1;
}
