import 'reflect-metadata';
import { explainDatabaseError, isDatabaseAway, readConfig, runMain, StartError } from '@baton/runtime';
import { pino } from 'pino';
import { configSchema } from './config.js';
import { createDataSource } from './database/data-source.js';
import { ProgressStore } from './healing/progress.store.js';

/**
 * `npm run metrics:rebuild`: forgets every figure that follows from the history in `DATABASE_URL`. metrics-service counts
 * them again from the first event, at once where it runs, else from its next start on.
 */
runMain(async () => {
  const { DATABASE_URL: url } = readConfig(configSchema.pick({ DATABASE_URL: true }));
  const dataSource = createDataSource(url, pino({ level: 'silent' }));
  try {
    await dataSource.initialize();
    await new ProgressStore(dataSource).forget();
    process.stdout.write(
      'Forgot all figures. metrics-service counts them again from the history; until `history.state` of ' +
        '/v1/metrics/system is "following", they are not whole.\n',
    );
  } catch (error) {
    throw isDatabaseAway(error) ? new StartError(explainDatabaseError(error, url), { cause: error }) : error;
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
});
