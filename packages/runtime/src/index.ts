export { readConfig } from './config.js';
export { createLogger, nestLogger } from './logger.js';
export { runMain } from './main.js';
export { startOperations } from './operations.js';
export { runUntilSignal } from './shutdown.js';
export { ProblemFilter } from './problem-filter.js';
