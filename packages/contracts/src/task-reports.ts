import { z } from 'zod';
import { jsonValue, text } from './json.js';
import { LIMITS } from './limits.js';
import { timestamp } from './words.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A line that a holder writes into the log of its task. */
export const logLine = {
  level: z.enum(LOG_LEVELS).default('info'),
  message: text({ min: 1, maxCharacters: LIMITS.logCharacters }),
};

/** Something a task made that is kept elsewhere. What has the same name takes its place. */
const artifactFields = {
  name: text({ min: 1, maxCharacters: 255 }),
  /** An address: never `javascript:` or `data:`, which would run where somebody follows it. */
  url: z
    .string()
    .max(LIMITS.urlCharacters)
    .regex(/^[a-z][a-z0-9+.-]*:\/\/[!-~]+$/i, 'expected an address such as https://… or s3://…'),
  mediaType: z
    .string()
    .max(127)
    .regex(/^[\w.+-]+\/[\w.+-]+$/, 'expected a media type such as text/plain')
    .optional(),
  bytes: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
};
export const artifact = z.object(artifactFields);
export type Artifact = z.infer<typeof artifact>;

const attempt = z.number().int();

/** An artifact as everybody sees it, with the attempt that told of it last. */
export const taskArtifact = z.object({
  name: z.string(),
  url: z.string(),
  mediaType: z.string().nullable(),
  bytes: z.number().nullable(),
  attempt,
  at: timestamp,
});
export type TaskArtifact = Readonly<z.infer<typeof taskArtifact>>;

/** How far an attempt came, in words of its agent: the next attempt gets it with its offer. */
export const taskCheckpoint = z.object({ value: jsonValue, attempt, at: timestamp });

/** Query of `GET /v1/tasks/{id}/logs`: lines behind this number. */
export const readLogs = z.strictObject({ after: z.coerce.number().pipe(z.int32().min(0)).default(0) });

/** A line of the log; numbers have no gaps. */
export const taskLogLine = z.object({
  number: z.number().int(),
  attempt,
  level: z.enum(LOG_LEVELS),
  message: z.string(),
  at: timestamp,
});
export type TaskLogLine = Readonly<z.infer<typeof taskLogLine>>;
