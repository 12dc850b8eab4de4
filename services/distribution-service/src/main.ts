import 'reflect-metadata';
import { createLogger, readConfig, runMain, runUntilSignal } from '@baton/runtime';
import { z } from 'zod';
import { startDistribution } from './distribution.app.js';

const port = z.coerce.number().int().min(0).max(65_535);
const environment = z.object({
  NATS_URL: z.string().min(1).describe('the address of NATS, such as nats://127.0.0.1:4222'),
  /** 0 takes any free port. Default: 0. */
  BATON_OPERATIONS_PORT: port.default(0),
  /** Where the operations port listens. Default: 127.0.0.1. */
  BATON_HTTP_HOST: z.string().default('127.0.0.1'),
  /** Default: info. */
  BATON_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
});

runMain(async () => {
  const config = readConfig(environment);
  const logger = createLogger('distribution-service', config.BATON_LOG_LEVEL);
  const distribution = await startDistribution({
    natsUrl: config.NATS_URL,
    operations: { host: config.BATON_HTTP_HOST, port: config.BATON_OPERATIONS_PORT },
    logger,
  });
  runUntilSignal(() => distribution.stop(), { logger });
});
