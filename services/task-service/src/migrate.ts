import { explainDatabaseError, isDatabaseAway, readConfig, runMain, StartError } from '@baton/runtime';
import { configSchema } from './config.js';
import { migrate } from './database/migrate.js';

/** `npm run migrate`: brings the schema of `DATABASE_URL` up to date and says what it did. */
runMain(async () => {
  const { DATABASE_URL: url } = readConfig(configSchema.pick({ DATABASE_URL: true }));
  const applied = await migrate(url, {
    tell: (text) => process.stderr.write(`${text}\n`),
    signal: new AbortController().signal,
  }).catch((error: unknown) => {
    throw isDatabaseAway(error) ? new StartError(explainDatabaseError(error, url), { cause: error }) : error;
  });
  process.stdout.write(
    applied.length === 0 ? 'The schema is up to date.\n' : `Applied: ${applied.join(', ')}\n`,
  );
});
