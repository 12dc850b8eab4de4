export { createAuthentication, firstKeyCheck, type Authentication } from './access/authentication.js';
export { guardRoutes } from './access/guard-routes.js';
export { hashToken, isSameHash } from './access/token-hash.js';
export { createClock, followDatabase, type DatabaseClock } from './clock.js';
export {
  httpSettings,
  natsCredentialsSetting,
  portSetting,
  postgresSetting,
  rateSetting,
  serviceSettings,
} from './config/shared-settings.js';
export { describeSettings, setting } from './config/setting.js';
export { knownNames } from './config/known-names.js';
export { readConfig } from './config/read-config.js';
export { explainDatabaseError, isDatabaseAway } from './database-error.js';
export { goneSignal } from './gone-signal.js';
export { observeHttp } from './observe-http.js';
export { sendSecurityHeaders } from './http-headers.js';
export { HTTP_PATIENCE, limitConnections } from './http-limits.js';
export { prepareHttpEnd } from './http-end.js';
export { impatientSocket } from './impatient-socket.js';
export { expectApplied, lockForMigration, type MigrationLockOptions } from './migration-lock.js';
export { nestLogger } from './logger.js';
export { runMain, runService, type ServiceContext } from './main.js';
export { openDatabase, type OpeningDatabase } from './open-database.js';
export { createRateLimit, expectAllowed } from './rate-limit.js';
export { startOperations, type Health } from './operations.js';
export { StartError } from './start-error.js';
export { ProblemFilter } from './problem-filter.js';
