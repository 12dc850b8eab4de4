export { needsOf, taskEvent } from './factories.js';
export { createTestDatabase, type TestDatabase } from './test-database.js';
export { startNats, type TestNats } from './test-nats.js';
export { startPostgres, type TestPostgres } from './test-postgres.js';
export { startTestStack } from './test-stack.js';
export { until } from './until.js';
export { startWire, type Wire, type WireConnection, type WireTap } from './wire.js';
