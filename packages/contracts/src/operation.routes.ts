import { createOperation, operationDryRun, operationView } from './operation.js';
import type { Route } from './route.js';
import { uuid } from './words.js';

const params = { id: uuid };

export const OPERATION_ROUTES = {
  createOperation: {
    method: 'POST',
    path: '/v1/operations',
    tag: 'Bulk',
    summary: 'Changes every task of a filter, in the background; `dryRun` counts them and changes nothing',
    description:
      'Tasks created later are left alone, and so are those in a status that the action does not start from. Each task is ' +
      'changed as by a command of its own, at most once.',
    body: createOperation,
    answers: { 200: operationDryRun, 202: operationView },
    answerHeaders: ['Location'],
    errors: [],
  },
  getOperation: {
    method: 'GET',
    path: '/v1/operations/{id}',
    tag: 'Bulk',
    summary: 'Says how far an operation is, and what it was refused',
    params,
    answers: { 200: operationView },
    errors: ['OPERATION_NOT_FOUND'],
  },
  cancelOperation: {
    method: 'DELETE',
    path: '/v1/operations/{id}',
    tag: 'Bulk',
    summary: 'Ends an operation where it is; what it changed stays so',
    params,
    answers: { 200: operationView },
    errors: ['OPERATION_NOT_FOUND'],
  },
} as const satisfies Readonly<Record<string, Route>>;
