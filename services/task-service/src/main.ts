import 'reflect-metadata';
import { createLogger, readConfig, runMain, runUntilSignal } from '@baton/runtime';
import { configSchema } from './config.js';
import { startTaskService } from './task-service.app.js';

runMain(async () => {
  const config = readConfig(configSchema);
  const logger = createLogger('task-service', config.BATON_LOG_LEVEL);
  const app = await startTaskService(config, logger);
  runUntilSignal(() => app.stop(), { logger });
});
