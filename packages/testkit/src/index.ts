export { assertNoConnections } from './leaks.js';
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from './test-database.js';
export { startNats, type TestNats } from './test-nats.js';
export { startTestStack } from './test-stack.js';
export { until, type UntilOptions } from './until.js';
