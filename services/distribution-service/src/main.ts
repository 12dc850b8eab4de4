import 'reflect-metadata';
import { runService } from '@baton/runtime';
import { configSchema } from './config.js';
import { startDistribution } from './distribution.app.js';

runService('distribution-service', configSchema, async (config, { logger, onStop }) => {
  await startDistribution({
    nats: {
      servers: config.NATS_URL,
      credentials: config.BATON_NATS_CREDENTIALS,
      probeCredentials: config.BATON_NATS_PROBE_CREDENTIALS,
    },
    operations: {
      host: config.BATON_OPERATIONS_HOST,
      port: config.BATON_OPERATIONS_PORT,
      shutdownDelayMs: config.BATON_SHUTDOWN_DELAY_MS,
    },
    logger,
    onStop,
  });
});
