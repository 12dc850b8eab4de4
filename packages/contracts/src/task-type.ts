import { z } from 'zod';
import { jsonObject, jsonObjectOf, text, type JsonObject } from './json.js';
import { LIMITS } from './limits.js';
import { taskFields } from './task.js';
import { actor, timestamp, word } from './words.js';

/** A JSON Schema as a caller gives it; whether it is one that can be used is for task-service to say. */
const jsonSchema = jsonObjectOf(LIMITS.schemaBytes);

/** What a type cannot say for its tasks: what tells them apart, and times that pass. */
const OWN_FIELDS = new Set(['title', 'type', 'availableAt', 'deadline']);

/** Fields of a task for those that leave them out: each as in a task, none of them assumed. */
const typeDefaults = z
  .strictObject(
    Object.fromEntries(
      Object.entries(taskFields)
        .filter(([name]) => !OWN_FIELDS.has(name))
        .map(([name, field]) => [name, (field instanceof z.ZodDefault ? field.unwrap() : field).optional()]),
    ),
  )
  .transform((value) => value as JsonObject);

/** Body of `PUT /v1/types/{type}`: all of the type; what is left out is not there. */
export const putTaskType = z.strictObject({
  inputSchema: jsonSchema.nullable().default(null),
  resultSchema: jsonSchema.nullable().default(null),
  defaults: typeDefaults.default({}),
  paused: z.boolean().default(false),
  maxConcurrent: z.number().int().min(1).max(1_000_000).nullable().default(null),
});
export type PutTaskType = z.infer<typeof putTaskType>;

/** A registered type as every surface shows it. */
export const taskTypeView = z.object({
  type: word,
  /** Rises with every change. */
  version: z.number().int(),
  inputSchema: jsonObject.nullable(),
  resultSchema: jsonObject.nullable(),
  defaults: jsonObject,
  paused: z.boolean(),
  maxConcurrent: z.number().int().nullable(),
  updatedAt: timestamp,
  updatedBy: actor,
});
export type TaskTypeView = Readonly<z.infer<typeof taskTypeView>>;

/** Query of `GET /v1/types`: by name. */
export const listTaskTypes = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LIMITS.listPage).default(50),
  cursor: z.string().max(512).optional(),
});
export type ListTaskTypes = z.infer<typeof listTaskTypes>;

/** Body of `POST /v1/pause`. */
export const pauseAll = z.strictObject({ reason: text({ min: 1, maxCharacters: 255 }).optional() });

/** What `POST /v1/pause`, `/v1/resume` and `GET /v1/pause` answer. */
export const pauseView = z.object({
  paused: z.boolean(),
  since: timestamp.nullable(),
  by: actor.nullable(),
  reason: z.string().nullable(),
});
export type PauseView = Readonly<z.infer<typeof pauseView>>;

/**
 * What is held back from distribution now: everything, or the tasks of some types, which are paused or have as many
 * tasks held as they may.
 */
export const heldBack = z.object({ all: z.boolean(), types: z.array(word).max(LIMITS.taskTypes) });
export type HeldBack = z.infer<typeof heldBack>;

/**
 * `svc.types`: `changed` tells that types or the pause changed and what is kept of them is to be read again; `room`
 * names types of limited concurrency, and how many of their tasks are held no more.
 */
export const typesHint = z.object({
  changed: z.boolean(),
  room: z.array(z.object({ type: word, count: z.number().int() })),
});
export type TypesHint = z.infer<typeof typesHint>;
