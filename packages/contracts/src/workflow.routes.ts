import { z } from 'zod';
import { pageOf, type Route } from './route.js';
import { CHANGE_ERRORS, VERSIONED } from './command.routes.js';
import { taskTrace } from './task-trace.js';
import { taskDependency, taskListItem } from './task-view.js';
import { uuid } from './words.js';
import { linkTask, listRelatives } from './workflow.js';

const params = { id: uuid };
const edge = { id: uuid, other: uuid };

/** A task's relatives: what it waits for, its children, its tree. */
export const WORKFLOW_ROUTES = {
  linkTask: {
    method: 'PUT',
    path: '/v1/tasks/{id}/dependencies/{other}',
    tag: 'Tasks',
    summary: 'Has a task that was not started wait for another one too, or changes how it waits for it',
    params: edge,
    body: linkTask.optional(),
    ...VERSIONED,
    errors: [...CHANGE_ERRORS, 'DEPENDENCY_NOT_FOUND', 'DEPENDENCY_CYCLE'],
  },
  unlinkTask: {
    method: 'DELETE',
    path: '/v1/tasks/{id}/dependencies/{other}',
    tag: 'Tasks',
    summary: 'Has a task that was not started wait for another one no more',
    params: edge,
    ...VERSIONED,
    errors: CHANGE_ERRORS,
  },
  readTrace: {
    method: 'GET',
    path: '/v1/tasks/{id}/trace',
    tag: 'Reading',
    summary: 'Shows the life of a task as spans: waits, attempts, delegations, children',
    description:
      'Made of the history alone, so that it needs no OpenTelemetry and tells of archived tasks too. Every span but that of the task has a parent; an attempt that follows another one has a link to it.',
    params,
    answers: { 200: taskTrace },
    errors: ['TASK_NOT_FOUND'],
  },
  listDependencies: {
    method: 'GET',
    path: '/v1/tasks/{id}/dependencies',
    tag: 'Reading',
    summary: 'Lists what a task depends on, each with its policy and its state',
    params,
    query: listRelatives,
    answers: { 200: pageOf(taskDependency.extend({ title: z.string() })) },
    errors: ['TASK_NOT_FOUND'],
  },
  listSubtasks: {
    method: 'GET',
    path: '/v1/tasks/{id}/subtasks',
    tag: 'Reading',
    summary: 'Lists the children of a task, oldest first',
    params,
    query: listRelatives,
    answers: { 200: pageOf(taskListItem) },
    errors: ['TASK_NOT_FOUND'],
  },
  readTree: {
    method: 'GET',
    path: '/v1/tasks/{id}/tree',
    tag: 'Reading',
    summary:
      'Lists every task of the tree a task belongs to: the root, then all below it in order of creation',
    params,
    query: listRelatives,
    answers: { 200: pageOf(taskListItem) },
    errors: ['TASK_NOT_FOUND'],
  },
} as const satisfies Readonly<Record<string, Route>>;
