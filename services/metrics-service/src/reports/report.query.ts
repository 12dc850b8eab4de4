import { agentId, word } from '@baton/contracts';
import { z } from 'zod';

/** Seconds of each window a report can be asked for; `all` begins with the first task known. */
export const WINDOW_SECONDS = { '5m': 300, '1h': 3_600, '24h': 86_400, '7d': 604_800, all: null } as const;
export type Window = keyof typeof WINDOW_SECONDS;

const windows = Object.keys(WINDOW_SECONDS) as [Window, ...Window[]];

/** Query of `GET /v1/metrics/tasks`. */
export const reportQuery = z.strictObject({
  window: z.enum(windows).default('1h'),
  agent: agentId.optional(),
  type: word.optional(),
  priority: z
    .string()
    .regex(/^[1-5]$/, 'expected 1 to 5')
    .transform(Number)
    .optional(),
});
export type ReportQuery = z.infer<typeof reportQuery>;
