import { z } from 'zod';
import type { Route } from './route.js';

const document = z.record(z.string(), z.unknown());

export const DOCUMENT_ROUTES = {
  readOpenApi: {
    method: 'GET',
    path: '/openapi.json',
    tag: 'Documents',
    summary: 'The REST API as OpenAPI 3.1',
    answers: { 200: document },
    errors: [],
  },
  readAsyncApi: {
    method: 'GET',
    path: '/asyncapi.json',
    tag: 'Documents',
    summary: 'What is said over NATS as AsyncAPI 3',
    answers: { 200: document },
    errors: [],
  },
  readDocs: {
    method: 'GET',
    path: '/docs',
    tag: 'Documents',
    summary: 'Both documents as a page to read',
    answers: { 200: z.string() },
    mediaType: 'text/html',
    errors: [],
  },
} as const satisfies Readonly<Record<string, Route>>;
