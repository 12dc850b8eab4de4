export { createClock, followDatabase, type DatabaseClock } from './clock.js';
export {
  natsCredentialsSetting,
  portSetting,
  postgresSetting,
  serviceSettings,
} from './config/shared-settings.js';
export { describeSettings, setting } from './config/setting.js';
export { knownNames } from './config/known-names.js';
export { readConfig } from './config/read-config.js';
export { explainDatabaseError, isDatabaseAway } from './database-error.js';
export { observeHttp } from './observe-http.js';
export { prepareHttpEnd } from './http-end.js';
export { impatientSocket } from './impatient-socket.js';
export { expectApplied, lockForMigration, type MigrationLockOptions } from './migration-lock.js';
export { nestLogger } from './logger.js';
export { runMain, runService, type ServiceContext } from './main.js';
export { openDatabase, type OpeningDatabase } from './open-database.js';
export { startOperations, type Health } from './operations.js';
export { StartError } from './start-error.js';
export { ProblemFilter } from './problem-filter.js';
