import { z } from 'zod';
import { heldRequests } from './agent-commands.js';
import { assignTask, DELEGATION_ERRORS, reassignTask, TARGET_ERRORS } from './delegation.js';
import type { ErrorCode } from './errors.js';
import type { Route } from './route.js';
import { cancelTask, releaseTask, TASK_STATUSES } from './task.js';
import { uuid } from './words.js';

/** What a command answers: where the task is now. */
const changedTask = z.object({
  id: uuid,
  status: z.enum(TASK_STATUSES),
  attempt: z.number().int(),
  version: z.number().int(),
});

/** What may be said to one task, `POST /v1/tasks/{id}/<word>`. */
export const COMMAND_ROUTES = {
  releaseTask: command('release', 'Lets a task go on that was held back', releaseTask.optional()),
  cancelTask: command(
    'cancel',
    'Calls a task off; children that are not detached follow',
    cancelTask.optional(),
  ),
  startTask: held('start', 'Begins to work, said in the stead of the agent that holds the task'),
  progressTask: held('progress', 'Says how far it is, in the stead of the holder'),
  completeTask: held('complete', 'Ends a task with its result, in the stead of the holder'),
  failTask: held('fail', 'Gives a try up, in the stead of the holder; it is tried again where it may be'),
  returnTask: held('return', 'Gives a task back undone, in the stead of the holder'),
  delegateTask: held(
    'delegate',
    'Hands a task on to a connected agent, in the stead of the holder',
    DELEGATION_ERRORS,
  ),
  assignTask: command('assign', 'Gives a queued task to an agent, or lets it wait there', assignTask, [
    ...TARGET_ERRORS,
    'AGENT_AT_CAPACITY',
    'AGENT_NOT_ONLINE',
  ]),
  reassignTask: command(
    'reassign',
    'Takes a task from its agent, for another or for whoever can',
    reassignTask.optional(),
    TARGET_ERRORS,
  ),
} as const satisfies Readonly<Record<string, Route>>;

function command<Word extends string, Body extends z.ZodType>(
  word: Word,
  summary: string,
  body: Body,
  errors: readonly ErrorCode[] = [],
) {
  return route(word, summary, body, ['TASK_NOT_FOUND', 'TASK_STATE_CONFLICT', ...errors]);
}

function held<Word extends keyof typeof heldRequests>(
  word: Word,
  summary: string,
  errors: readonly ErrorCode[] = [],
) {
  return route(word, summary, heldRequests[word], [
    'TASK_NOT_FOUND',
    'TASK_STATE_CONFLICT',
    'STALE_ATTEMPT',
    'STALE_SESSION',
    ...errors,
  ]);
}

function route<Word extends string, Body extends z.ZodType>(
  word: Word,
  summary: string,
  body: Body,
  errors: readonly ErrorCode[],
) {
  return {
    method: 'POST',
    path: `/v1/tasks/{id}/${word}`,
    tag: 'Commands',
    summary,
    params: { id: uuid },
    body,
    answers: { 200: changedTask },
    answerHeaders: ['ETag'],
    errors,
  } as const;
}
