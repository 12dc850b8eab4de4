import { readConfig, runMain } from '@baton/runtime';
import { configSchema } from './config.js';
import { migrate } from './database/migrate.js';
import { openDataSource } from './services.js';

/** `npm run migrate`: brings the schema of `DATABASE_URL` up to date and says what it did. */
runMain(async () => {
  const dataSource = await openDataSource(readConfig(configSchema.pick({ DATABASE_URL: true })));
  try {
    const applied = await migrate(dataSource);
    process.stdout.write(
      applied.length === 0 ? 'The schema is up to date.\n' : `Applied: ${applied.join(', ')}\n`,
    );
  } finally {
    await dataSource.destroy();
  }
});
