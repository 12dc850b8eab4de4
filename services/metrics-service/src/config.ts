import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535).describe('a port from 0 to 65535');

/** The environment of metrics-service. */
export const configSchema = z.object({
  /** Postgres, as a role that owns the schema `metrics` or may create it. */
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//)
    .describe('postgres://user:password@host:port/database'),
  /** Comma-separated addresses of NATS servers. */
  NATS_URL: z.string().min(1).describe('nats://host:port'),
  /** Of the metrics API. Default: any free port. */
  BATON_HTTP_PORT: port.default(0),
  /** Where the metrics API and the operations port listen. Default: 127.0.0.1. */
  BATON_HTTP_HOST: z.string().default('127.0.0.1'),
  /** Of `/livez`, `/readyz` and `/metrics`. Default: any free port. */
  BATON_OPERATIONS_PORT: port.default(0),
  /** Default: info. */
  BATON_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});
