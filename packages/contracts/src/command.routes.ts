import { z } from 'zod';
import { heldRequests } from './agent-commands.js';
import { autoAssigned, autoAssignTask } from './choice.js';
import { assignTask, DELEGATION_ERRORS, reassignTask, TARGET_ERRORS } from './delegation.js';
import type { ErrorCode } from './errors.js';
import type { Route } from './route.js';
import { cancelTask, releaseTask, TASK_STATUSES } from './task.js';
import { patchTask, reopenTask, replaceTask } from './task-changes.js';
import { uuid } from './words.js';
import { answerTask, unblockTask } from './workflow.js';

/** What a command answers: where the task is now. */
const changedTask = z.object({
  id: uuid,
  status: z.enum(TASK_STATUSES),
  attempt: z.number().int(),
  version: z.number().int(),
});

/** What a route that changes one task takes and answers. */
export const VERSIONED = {
  requestHeaders: ['If-Match'],
  answers: { 200: changedTask },
  answerHeaders: ['ETag'],
} as const;
/** What a change of one task may always be refused with. */
export const CHANGE_ERRORS = ['TASK_NOT_FOUND', 'TASK_STATE_CONFLICT', 'VERSION_MISMATCH'] as const;

/** What changes one task: its fields, and what may be said to it, `POST /v1/tasks/{id}/<word>`. */
export const COMMAND_ROUTES = {
  replaceTask: {
    method: 'PUT',
    path: '/v1/tasks/{id}',
    tag: 'Tasks',
    summary: 'Replaces what may change of a task that has not ended: everything but its state',
    description: 'What is left out is as in a new task, but for `availableAt`, which then stays as it is.',
    params: { id: uuid },
    body: replaceTask,
    ...VERSIONED,
    errors: CHANGE_ERRORS,
  },
  patchTask: {
    method: 'PATCH',
    path: '/v1/tasks/{id}',
    tag: 'Tasks',
    summary: 'Changes some fields of a task that has not ended',
    description:
      'Null sets a field back to what it is in a new task. `metadata`, `input` and `context` are merged as RFC 7396 tells.',
    params: { id: uuid },
    body: patchTask,
    ...VERSIONED,
    errors: CHANGE_ERRORS,
  },
  deleteTask: {
    method: 'DELETE',
    path: '/v1/tasks/{id}',
    tag: 'Tasks',
    summary: 'Removes a task that has ended or is held back, and that no other waits for',
    description: 'Its history stays, without what agents alone read; the audit log keeps what it was.',
    params: { id: uuid },
    requestHeaders: ['If-Match'],
    answers: { 204: null },
    errors: [...CHANGE_ERRORS, 'TASK_HAS_DEPENDENTS'],
  },
  releaseTask: command('release', 'Lets a task go on that was held back', releaseTask.optional()),
  cancelTask: command(
    'cancel',
    'Calls a task off; children that are not detached follow',
    cancelTask.optional(),
  ),
  reopenTask: command(
    'reopen',
    'Begins a failed or cancelled task anew, with changes',
    reopenTask.optional(),
  ),
  retryTask: command('retry', 'The same as `reopen`, by another name', reopenTask.optional()),
  startTask: held('start', 'Begins to work, said in the stead of the agent that holds the task'),
  progressTask: held('progress', 'Says how far it is, in the stead of the holder'),
  completeTask: held('complete', 'Ends a task with its result, in the stead of the holder', [
    'INVALID_RESULT',
  ]),
  failTask: held('fail', 'Gives a try up, in the stead of the holder; it is tried again where it may be'),
  blockTask: held('block', 'Gives the slot away and waits, in the stead of the holder', ['DEPENDENCY_CYCLE']),
  answerTask: command(
    'answer',
    'Answers what a task was blocked for, or says that there is no answer: then it fails `denied`',
    answerTask,
    ['STALE_ATTEMPT'],
  ),
  unblockTask: command(
    'unblock',
    'Says that what a task waits for outside of Baton has happened',
    unblockTask.optional(),
  ),
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
  autoAssignTask: {
    ...command(
      'auto-assign',
      'Gives a queued task at once to the best agent that has room, by criteria beside its own',
      autoAssignTask.optional(),
      ['NO_AGENT'],
    ),
    description:
      'What the task requires and excludes holds whatever `criteria` say; `minScore` and what is preferred are taken from them where given. `NO_AGENT` tells the reason, as `GET /v1/tasks/{id}/decision` does.',
    answers: { 200: autoAssigned },
  },
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
  return route(word, summary, body, [...CHANGE_ERRORS, ...errors]);
}

function held<Word extends keyof typeof heldRequests>(
  word: Word,
  summary: string,
  errors: readonly ErrorCode[] = [],
) {
  return route(word, summary, heldRequests[word], [
    ...CHANGE_ERRORS,
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
    ...VERSIONED,
    errors,
  } as const;
}
