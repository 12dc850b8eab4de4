import 'reflect-metadata';
import { runService } from '@baton/runtime';
import { configSchema } from './config.js';
import { startTaskService } from './task-service.app.js';

runService('task-service', configSchema, startTaskService);
