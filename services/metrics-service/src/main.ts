import 'reflect-metadata';
import { runService } from '@baton/runtime';
import { configSchema } from './config.js';
import { startMetrics } from './metrics.app.js';

runService('metrics-service', configSchema, startMetrics);
