import { httpSettings, portSetting, postgresSetting, serviceSettings } from '@baton/runtime';
import { z } from 'zod';

/** The environment of metrics-service. */
export const configSchema = z.object({
  DATABASE_URL: postgresSetting(
    'The Postgres of the read model, with a role that owns the schema `metrics` or may create it.',
  ),
  ...serviceSettings,
  ...httpSettings,
  BATON_HTTP_PORT: portSetting('The port of the metrics API.', 4003),
});
export type Config = z.infer<typeof configSchema>;
