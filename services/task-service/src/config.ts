import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);

/** Environment of task-service. */
export const configSchema = z.object({
  /** Postgres that owns all task and agent state. */
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//)
    .describe('postgres://user:password@host:port/database'),
  /** NATS servers, comma-separated. */
  NATS_URL: z.string().min(1).describe('nats://host:port'),
  /** Where the REST API listens. Default: any free port on loopback. */
  BATON_HTTP_PORT: port.default(0).describe('a port from 0 to 65535'),
  BATON_HTTP_HOST: z.string().default('127.0.0.1'),
  /** Where `/livez`, `/readyz` and `/metrics` listen. Default: any free port. */
  BATON_OPERATIONS_PORT: port.default(0).describe('a port from 0 to 65535'),
  BATON_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  /** Batches written at the same time. Default: 2. */
  BATON_LANES: z.coerce.number().int().min(1).max(16).default(2).describe('a number from 1 to 16'),
  /** Whether an agent nobody registered may join by saying hello. Default: open. */
  BATON_AGENT_ENROLMENT: z.enum(['open', 'closed']).default('open'),
});
export type Config = z.infer<typeof configSchema>;
