import { z } from 'zod';
import { spawnTasks } from './agent-calls.js';
import { simulated } from './choice.js';
import { decisionView } from './decision.js';
import { DELEGATION_ERRORS } from './delegation.js';
import { errorBody } from './errors.js';
import type { Route } from './route.js';
import { createBatch, createGraph, createTask, TASK_STATUSES, taskHistory } from './task.js';
import { readLogs, taskLogLine } from './task-reports.js';
import { countTasks, listTasks, taskCount, taskPage } from './task-list.js';
import { createdTask, taskDetail, taskHistoryEntry, taskView } from './task-view.js';
import { uuid } from './words.js';

const params = { id: uuid };
const version = z.number().int();
const status = z.enum(TASK_STATUSES);

/** One task of a batch whose tasks were each judged on its own. */
const batchResult = z.discriminatedUnion('ok', [
  z.object({ index: z.number().int(), ok: z.literal(true), id: uuid, status, version }),
  z.object({ index: z.number().int(), ok: z.literal(false), error: errorBody }),
]);

export const TASK_ROUTES = {
  createTask: {
    method: 'POST',
    path: '/v1/tasks',
    tag: 'Tasks',
    summary: 'Creates one task',
    body: createTask,
    requestHeaders: ['Prefer'],
    // With its result, when the caller waited for the end.
    answers: { 201: z.union([taskDetail, taskView]) },
    answerHeaders: ['Location', 'ETag', 'Preference-Applied'],
    errors: ['DEPENDENCY_NOT_FOUND'],
  },
  simulateTask: {
    method: 'POST',
    path: '/v1/tasks/simulate',
    tag: 'Reading',
    summary: 'Says who would get a task like this if it was ready now, with the scores, or why nobody would',
    description:
      'Nothing is created. What would hold it back first (`hold`, `availableAt`, dependencies) is left out of account; a pause is not.',
    body: createTask,
    answers: { 200: simulated },
    errors: [],
  },
  listTasks: {
    method: 'GET',
    path: '/v1/tasks',
    tag: 'Tasks',
    summary: 'Lists tasks by filters and `q`, a page at a time, without what may be large',
    description:
      'A page may be short, even empty, and the list go on: only a page without `next` is the last. What may be asked ' +
      'for in which order: docs/lists.md.',
    query: listTasks.in,
    answers: { 200: taskPage },
    errors: ['QUERY_NOT_SUPPORTED'],
  },
  countTasks: {
    method: 'GET',
    path: '/v1/tasks/count',
    tag: 'Tasks',
    summary: 'Counts the tasks of a filter: exactly up to 10,000, beyond that about',
    query: countTasks.in,
    answers: { 200: taskCount },
    errors: ['QUERY_NOT_SUPPORTED'],
  },
  getTask: {
    method: 'GET',
    path: '/v1/tasks/{id}',
    tag: 'Tasks',
    summary: 'Reads a task with its payloads, progress and dependencies',
    params,
    requestHeaders: ['Prefer'],
    answers: { 200: taskDetail },
    answerHeaders: ['ETag', 'Preference-Applied'],
    errors: ['TASK_NOT_FOUND'],
  },
  createBatch: {
    method: 'POST',
    path: '/v1/tasks/batch',
    tag: 'Bulk',
    summary: 'Creates up to 1,000 tasks, each judged on its own, or with `atomic` all or none',
    body: createBatch,
    answers: {
      200: z.object({
        results: z.array(batchResult),
        summary: z.object({ succeeded: z.number().int(), failed: z.number().int() }),
      }),
      201: z.object({ tasks: z.array(createdTask) }),
    },
    errors: ['DEPENDENCY_NOT_FOUND'],
  },
  createGraph: {
    method: 'POST',
    path: '/v1/tasks/graph',
    tag: 'Bulk',
    summary: 'Creates tasks with dependencies among each other, all or none',
    body: createGraph,
    answers: { 201: z.object({ tasks: z.array(createdTask) }) },
    errors: ['DEPENDENCY_CYCLE', 'DEPENDENCY_NOT_FOUND'],
  },
  spawnTasks: {
    method: 'POST',
    path: '/v1/tasks/{id}/spawn',
    tag: 'Bulk',
    summary: 'Creates children of a task that has not ended, all or none, in the stead of its holder',
    description:
      'With `agentId`, `attempt` and `epoch` it is checked like a word of that holder, and an idempotency key counts for the task, whoever holds it. An agent must send them.',
    params,
    body: spawnTasks,
    answers: { 201: z.object({ tasks: z.array(createdTask) }) },
    errors: [
      'TASK_NOT_FOUND',
      'TASK_STATE_CONFLICT',
      'STALE_ATTEMPT',
      'STALE_SESSION',
      'DEPENDENCY_CYCLE',
      'DEPENDENCY_NOT_FOUND',
      ...DELEGATION_ERRORS,
      'DELEGATION_FANOUT',
      'BUDGET_EXCEEDED',
    ],
  },
  readHistory: {
    method: 'GET',
    path: '/v1/tasks/{id}/history',
    tag: 'Reading',
    summary: 'Lists every accepted change, 500 at a time',
    params,
    query: taskHistory,
    answers: { 200: z.object({ data: z.array(taskHistoryEntry) }) },
    errors: ['TASK_NOT_FOUND'],
  },
  readLogs: {
    method: 'GET',
    path: '/v1/tasks/{id}/logs',
    tag: 'Reading',
    summary: 'Lists what the holders of a task wrote into its log, 500 lines at a time',
    params,
    query: readLogs,
    answers: { 200: z.object({ data: z.array(taskLogLine) }) },
    errors: ['TASK_NOT_FOUND'],
  },
  readEvents: {
    method: 'GET',
    path: '/v1/tasks/{id}/events',
    tag: 'Reading',
    summary: 'Follows a task to its end as server-sent events, or lists its changes as JSON',
    description:
      'With `Accept: text/event-stream` every accepted change comes as an event: `id` is the version, `event` the type, `data` an entry of the history; `progress` events have no id. A comment comes every 15 s. The stream ends behind the event that ended the task; one that goes on with `Last-Event-ID` behind that is answered 204, which tells the client to stop.',
    params,
    query: taskHistory,
    requestHeaders: ['Last-Event-ID'],
    answers: { 200: z.object({ data: z.array(taskHistoryEntry) }), 204: null },
    errors: ['TASK_NOT_FOUND'],
  },
  readDecision: {
    method: 'GET',
    path: '/v1/tasks/{id}/decision',
    tag: 'Reading',
    summary: 'Says why this agent; or, while nobody has the task, why it waits and what to do',
    params,
    answers: { 200: decisionView },
    errors: ['TASK_NOT_FOUND'],
  },
} as const satisfies Readonly<Record<string, Route>>;
