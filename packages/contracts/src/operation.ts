import { z } from 'zod';
import { reassignTask } from './delegation.js';
import { errorBody } from './errors.js';
import { parseFilter } from './filter-syntax.js';
import { jsonObject } from './json.js';
import { LIMITS } from './limits.js';
import { QueryError } from './query-error.js';
import { reopenTask } from './task-changes.js';
import { cancelTask, priority } from './task.js';
import { actor, timestamp, uuid } from './words.js';

/** Whose tasks an operation changes, in the `q=` language. To mean every task it must say so, as with `age:>0s`. */
const filter = z
  .string()
  .max(LIMITS.queryCharacters, { abort: true })
  .superRefine((text, context) => {
    try {
      if (parseFilter(text).length > 0) return;
      context.addIssue('expected at least one term; every task there is would be age:>0s');
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      context.addIssue(error.message);
    }
  });

const common = { q: filter, dryRun: z.boolean().default(false) };

/** `POST /v1/operations`: one command for every task of a filter; `with` is what it takes for one. */
export const createOperation = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('cancel'), ...common, with: cancelTask.default({}) }),
  z.strictObject({ action: z.literal('reopen'), ...common, with: reopenTask.default({}) }),
  z.strictObject({ action: z.literal('reprioritise'), ...common, with: z.strictObject({ priority }) }),
  z.strictObject({ action: z.literal('reassign'), ...common, with: reassignTask.default({}) }),
  z.strictObject({ action: z.literal('delete'), ...common, with: z.strictObject({}).default({}) }),
]);
export type CreateOperation = z.infer<typeof createOperation>;
export type OperationAction = CreateOperation['action'];

/** What a dry run answers: how many tasks would be changed now. */
export const operationDryRun = z.object({
  /** More than could be counted at once are estimated. */
  matched: z.number().int(),
  approximate: z.boolean(),
});
export type OperationDryRun = Readonly<z.infer<typeof operationDryRun>>;

/** `cancelling`: what is under way is still ended. */
export const OPERATION_STATUSES = ['running', 'cancelling', 'done', 'cancelled', 'failed'] as const;
export type OperationStatus = (typeof OPERATION_STATUSES)[number];

/** An operation and how far it is. */
export const operationView = z.object({
  id: uuid,
  action: z.string(),
  q: z.string(),
  with: jsonObject,
  status: z.enum(OPERATION_STATUSES),
  /** The tasks there were to change when it began. */
  expected: operationDryRun,
  /** Tasks found and decided so far: `done`, or refused by code. */
  matched: z.number().int(),
  done: z.number().int(),
  refused: z.record(z.string(), z.number().int()),
  /** Why it failed. */
  error: errorBody.nullable(),
  createdBy: actor,
  createdAt: timestamp,
  updatedAt: timestamp,
  endedAt: timestamp.nullable(),
});
export type OperationView = Readonly<z.infer<typeof operationView>>;
