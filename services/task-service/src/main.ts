import 'reflect-metadata';
import { runService } from '@baton/runtime';
import { configSchema } from './config.js';
import { startTaskService } from './task-service.app.js';

runService('task-service', configSchema, async (config, { logger, onStop }) => {
  const app = await startTaskService(config, logger);
  onStop(() => app.stop());
});
