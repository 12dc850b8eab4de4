export { ConfigError, readConfig } from './config.js';
export { createLogger, nestLogger } from './logger.js';
export { runMain } from './main.js';
export { startOperations, type Operations, type OperationsOptions } from './operations.js';
export { runUntilSignal, type ShutdownOptions } from './shutdown.js';
