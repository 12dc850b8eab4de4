// Made from services/*/src/config.ts, packages/runtime and packages/stack/src/settings.ts by "npm run generate". Do not edit.

/** Every `BATON_*` variable of every part, which a process may find in its environment. */
export const knownNames: readonly string[] = [
  'BATON_AGENT_ENROLMENT',
  'BATON_ARCHIVE_DIRECTORY',
  'BATON_DIRECTORY',
  'BATON_DISTRIBUTION_OPERATIONS_PORT',
  'BATON_HTTP_HOST',
  'BATON_HTTP_PORT',
  'BATON_LANES',
  'BATON_LOG_LEVEL',
  'BATON_METRICS_DATABASE_URL',
  'BATON_METRICS_DATABASE_URL_FILE',
  'BATON_METRICS_HTTP_PORT',
  'BATON_METRICS_OPERATIONS_PORT',
  'BATON_NATS_PORT',
  'BATON_OPERATIONS_PORT',
  'BATON_POSTGRES_PORT',
  'BATON_RETENTION_ARCHIVE_DAYS',
  'BATON_RETENTION_HOT_DAYS',
  'BATON_SHUTDOWN_DEADLINE_MS',
  'BATON_SHUTDOWN_DELAY_MS',
  'BATON_TASK_HTTP_PORT',
  'BATON_TASK_OPERATIONS_PORT',
];
