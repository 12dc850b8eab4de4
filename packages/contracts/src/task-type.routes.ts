import { pageOf, type Route } from './route.js';
import { listTaskTypes, pauseAll, pauseView, putTaskType, taskTypeView } from './task-type.js';
import { word } from './words.js';

const params = { type: word };

export const TYPE_ROUTES = {
  putType: {
    method: 'PUT',
    path: '/v1/types/{type}',
    tag: 'Administration',
    summary: 'Registers a task type, or replaces all of it',
    description:
      'Inputs of new tasks are checked against `inputSchema`, results against `resultSchema` (JSON Schema 2020-12, or draft-07 when `$schema` says so, without references out of itself). `defaults` are fields of a task for those that leave them out. `paused` holds back distribution of the type; at most `maxConcurrent` of its tasks are held by agents at a time.',
    params,
    body: putTaskType,
    answers: { 200: taskTypeView, 201: taskTypeView },
    answerHeaders: ['ETag'],
    errors: ['TOO_MANY_TYPES'],
  },
  listTypes: {
    method: 'GET',
    path: '/v1/types',
    tag: 'Administration',
    summary: 'Lists the registered task types by name',
    query: listTaskTypes,
    answers: { 200: pageOf(taskTypeView) },
    errors: [],
  },
  getType: {
    method: 'GET',
    path: '/v1/types/{type}',
    tag: 'Administration',
    summary: 'Reads a registered task type',
    params,
    answers: { 200: taskTypeView },
    answerHeaders: ['ETag'],
    errors: ['TYPE_NOT_FOUND'],
  },
  deleteType: {
    method: 'DELETE',
    path: '/v1/types/{type}',
    tag: 'Administration',
    summary: 'Removes a task type; its tasks go on without schemas, defaults and limits',
    params,
    answers: { 204: null },
    errors: ['TYPE_NOT_FOUND'],
  },
  pauseAll: {
    method: 'POST',
    path: '/v1/pause',
    tag: 'Administration',
    summary: 'Holds back all distribution; what agents work on goes on',
    body: pauseAll.optional(),
    answers: { 200: pauseView },
    errors: [],
  },
  resumeAll: {
    method: 'POST',
    path: '/v1/resume',
    tag: 'Administration',
    summary: 'Lets distribution go on',
    answers: { 200: pauseView },
    errors: [],
  },
  readPause: {
    method: 'GET',
    path: '/v1/pause',
    tag: 'Administration',
    summary: 'Says whether all distribution is held back, since when, by whom and why',
    answers: { 200: pauseView },
    errors: [],
  },
} as const satisfies Readonly<Record<string, Route>>;
