import { z } from 'zod';
import { createTask } from './task.js';

/** What may be changed of a task that has not ended. Never its status: commands do that. */
const MUTABLE = {
  title: true,
  description: true,
  priority: true,
  tags: true,
  metadata: true,
  requiredCapabilities: true,
  preferredCapabilities: true,
  criteria: true,
  availableAt: true,
  deadline: true,
  timeout: true,
  startTimeout: true,
  queueTimeout: true,
  progressTimeout: true,
  maxRetries: true,
  retryPolicy: true,
  estimatedDuration: true,
  input: true,
  context: true,
} as const;

/** `PUT /v1/tasks/{id}`: all of it anew; what is left out is as in a new task, but for `availableAt`, which stays. */
export const replaceTask = createTask.pick(MUTABLE).extend({
  availableAt: createTask.shape.availableAt.unwrap().nullable().optional(),
});
export type ReplaceTask = z.output<typeof replaceTask>;

const { title, ...resettable } = replaceTask.shape;

/**
 * `PATCH /v1/tasks/{id}`: what is given replaces what was, null sets it back to what it is in a new task. `metadata`,
 * `input` and `context` are merged (RFC 7396): null removes a key.
 */
export const patchTask = z.strictObject({ title: title.optional(), ...eachNullable(resettable) });
export type PatchTask = z.output<typeof patchTask>;
export type PatchTaskInput = z.input<typeof patchTask>;

/** What may be changed of a task that failed or was cancelled as it begins anew. */
export const reopenTask = patchTask.pick({
  input: true,
  context: true,
  priority: true,
  criteria: true,
  deadline: true,
});
export type ReopenTaskInput = z.input<typeof reopenTask>;

type Bare<Schema> = Schema extends z.ZodDefault<infer Inner> | z.ZodOptional<infer Inner>
  ? Bare<Inner>
  : Schema;
type Resettable<Shape> = {
  readonly [Name in keyof Shape]: z.ZodOptional<z.ZodNullable<Extract<Bare<Shape[Name]>, z.ZodType>>>;
};

/** Without their defaults: in a change, what is left out is left as it is. */
function eachNullable<Shape extends z.ZodRawShape>(shape: Shape): Resettable<Shape> {
  const fields = Object.entries(shape).map(([name, schema]) => [name, bare(schema).nullable().optional()]);
  return Object.fromEntries(fields) as Resettable<Shape>;
}

function bare(schema: z.core.$ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) return bare(schema.unwrap());
  return schema as z.ZodType;
}
