/** A service of Baton as the stack needs to know it. */
export interface ServiceDefinition {
  readonly name: string;
  /** The built program, relative to the checkout. */
  readonly script: string;
  /** Which Postgres address it gets as DATABASE_URL, if any. */
  readonly database?: 'main' | 'metrics';
  /** Whether it takes API keys, and so must know the first. */
  readonly takesAdminKey?: true;
  /** Where its HTTP API listens, if it has one. */
  readonly http?: ServicePort;
  /** Where `/livez` and `/readyz` are. */
  readonly operations: ServicePort;
}

/** A port of a service: which variable sets it, and what it is otherwise. */
export interface ServicePort {
  readonly variable: string;
  readonly standard: number;
}

/** The three services, in the order they are stopped in reverse: tasks last, so that no answer is lost. */
export const batonServices: readonly ServiceDefinition[] = [
  {
    name: 'task-service',
    script: 'services/task-service/dist/main.js',
    database: 'main',
    takesAdminKey: true,
    http: { variable: 'BATON_TASK_HTTP_PORT', standard: 4001 },
    operations: { variable: 'BATON_TASK_OPERATIONS_PORT', standard: 4101 },
  },
  {
    name: 'metrics-service',
    script: 'services/metrics-service/dist/main.js',
    database: 'metrics',
    takesAdminKey: true,
    http: { variable: 'BATON_METRICS_HTTP_PORT', standard: 4003 },
    operations: { variable: 'BATON_METRICS_OPERATIONS_PORT', standard: 4103 },
  },
  {
    name: 'distribution-service',
    script: 'services/distribution-service/dist/main.js',
    operations: { variable: 'BATON_DISTRIBUTION_OPERATIONS_PORT', standard: 4102 },
  },
];
