import { policyList, policyView, putPolicy } from './policy.js';
import type { Route } from './route.js';
import { word } from './words.js';

const params = { name: word };

export const POLICY_ROUTES = {
  putPolicy: {
    method: 'PUT',
    path: '/v1/policies/{name}',
    tag: 'Administration',
    summary: 'Makes a policy by which agents are chosen, or replaces all of it',
    description:
      'A task names its policy in `criteria.policy`; a type does so for its tasks in `defaults.criteria.policy`. What names none goes by the policy `default`. Decisions record name and version.',
    params,
    body: putPolicy,
    answers: { 200: policyView, 201: policyView },
    requestHeaders: ['If-Match'],
    answerHeaders: ['ETag'],
    errors: ['VERSION_MISMATCH', 'TOO_MANY_POLICIES'],
  },
  getPolicy: {
    method: 'GET',
    path: '/v1/policies/{name}',
    tag: 'Administration',
    summary: 'Reads a policy',
    params,
    answers: { 200: policyView },
    answerHeaders: ['ETag'],
    errors: ['POLICY_NOT_FOUND'],
  },
  listPolicies: {
    method: 'GET',
    path: '/v1/policies',
    tag: 'Administration',
    summary: 'Lists all policies by name',
    answers: { 200: policyList },
    errors: [],
  },
} as const satisfies Readonly<Record<string, Route>>;
