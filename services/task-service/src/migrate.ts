import { explainDatabaseError, readConfig, runMain, StartError } from '@baton/runtime';
import { configSchema } from './config.js';
import { createDataSource } from './database/database.js';
import { migrate } from './database/migrate.js';

/** `npm run migrate`: brings the schema of `DATABASE_URL` up to date and says what it did. */
runMain(async () => {
  const { DATABASE_URL: url } = readConfig(configSchema.pick({ DATABASE_URL: true }));
  const dataSource = await createDataSource(url)
    .initialize()
    .catch((error: unknown) => {
      throw new StartError(explainDatabaseError(error, url), { cause: error });
    });
  try {
    const applied = await migrate(dataSource);
    process.stdout.write(
      applied.length === 0 ? 'The schema is up to date.\n' : `Applied: ${applied.join(', ')}\n`,
    );
  } finally {
    await dataSource.destroy();
  }
});
