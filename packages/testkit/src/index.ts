export { ADMIN_KEY, asAdmin } from './admin-key.js';
export { needsOf, taskEvent } from './factories.js';
export { createTestDatabase, type TestDatabase } from './test-database.js';
export { agentLogin, connectAgent, connectOperator, serviceLogin, type Nats } from './nats-login.js';
export { startNats, type TestNats } from './test-nats.js';
export { startPostgres, type TestPostgres } from './test-postgres.js';
export { startTestStack, type TestStack } from './test-stack.js';
export { until } from './until.js';
export { startWire, type Wire, type WireConnection, type WireTap } from './wire.js';
