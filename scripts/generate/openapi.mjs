import { readFileSync } from 'node:fs';
import * as contracts from '../../packages/contracts/dist/index.js';
import { readFixtures } from './fixtures.mjs';
import { createJsonSchemas } from './json-schema.mjs';

const { ANSWER_HEADERS, ERRORS, isPublic, METRICS_ROUTES, REQUEST_HEADERS, ROUTE_TAGS, routeErrors } =
  contracts;
const ROUTES = { ...contracts.ROUTES, ...METRICS_ROUTES };

const sent = createJsonSchemas({
  direction: 'sent',
  shapes: {
    NewAgent: contracts.registerAgent,
    NewGraphTask: contracts.graphTask,
    NewTask: contracts.createTask,
  },
});
const answered = createJsonSchemas({
  direction: 'answered',
  shapes: {
    Agent: contracts.agentView,
    Connection: contracts.connectionView,
    CreatedTask: contracts.createdTask,
    Decision: contracts.decision,
    Error: contracts.errorBody,
    HistoryEntry: contracts.taskHistoryEntry,
    Operation: contracts.operationView,
    Problem: contracts.problemDocument,
    Task: contracts.taskDetail,
    TaskListItem: contracts.taskListItem,
    TaskSummary: contracts.taskView,
    Waiting: contracts.waiting,
  },
});

const examples = new Map(readFixtures('http').map(({ route, message }) => [route, message]));

const METRICS_SERVERS = [{ url: 'http://localhost:4003', description: 'metrics-service.' }];

/** `docs/openapi.json`: the REST API of task-service and metrics-service as OpenAPI 3.1. */
export function renderOpenApi() {
  const paths = {};
  for (const [operationId, route] of Object.entries(ROUTES)) {
    const { path, method } = route;
    const served = operationId in METRICS_ROUTES ? { servers: METRICS_SERVERS } : {};
    paths[path] = { ...paths[path], [method.toLowerCase()]: { ...operation(operationId, route), ...served } };
  }
  const { version, license } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return JSON.stringify({
    openapi: '3.1.1',
    info: {
      title: 'Baton',
      version,
      description:
        'The REST API of task-service and metrics-service: hands tasks to agents, durably. Every refusal is a problem document (RFC 9457) ' +
        'with a `code`. Bodies are JSON; fields that are not known are refused. Times are ISO 8601, durations seconds.',
      license: { name: license, identifier: license },
    },
    servers: [{ url: '/', description: 'The service this document came from.' }],
    tags: Object.entries(ROUTE_TAGS)
      .filter(([name]) => Object.values(ROUTES).some(({ tag }) => tag === name))
      .map(([name, description]) => ({ name, description })),
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key of `POST /v1/keys`, or the first one.',
        },
      },
      schemas: components(),
      parameters: Object.fromEntries(
        Object.entries(REQUEST_HEADERS).map(headerParameter).filter(isUsedIn(paths)),
      ),
      headers: Object.fromEntries(Object.entries(ANSWER_HEADERS).map(answerHeader).filter(isUsedIn(paths))),
    },
  });
}

/** A name stands for one shape: what is sent and what is answered differ in what may be left out. */
function components() {
  const [ofSent, ofAnswered] = [sent.components(), answered.components()];
  const twice = Object.keys(ofSent).filter((name) => name in ofAnswered);
  if (twice.length > 0) throw new Error(`${twice.join(', ')}: sent and answered; give each side a name`);
  return { ...ofSent, ...ofAnswered };
}

function headerParameter([name, description]) {
  return [name, { name, in: 'header', description, schema: { type: 'string' } }];
}

function answerHeader([name, description]) {
  return [name, { description, schema: { type: 'string' } }];
}

function isUsedIn(paths) {
  const text = JSON.stringify(paths);
  return ([name]) => text.includes(`/${name}"`);
}

function operation(operationId, route) {
  const { tag, summary, description, body } = route;
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(isPublic(route) ? { security: [] } : {}),
    parameters: parameters(route),
    ...(body === undefined ? {} : { requestBody: requestBody(route) }),
    responses: { ...answers(route), ...refusals(route) },
  };
}

function parameters({ method, params = {}, query, requestHeaders = [] }) {
  const headers = [...requestHeaders, ...(method === 'POST' ? ['Idempotency-Key'] : []), 'traceparent'];
  return [
    ...Object.entries(params).map(([name, schema]) => ({
      name,
      in: 'path',
      required: true,
      schema: sent.toJsonSchema(schema),
    })),
    ...Object.entries(query?.shape ?? {}).map(([name, schema]) => queryParameter(name, schema)),
    ...headers.map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ];
}

// What is asked for in a query is text: the schema of what it is read as says more. Lists are separated by commas.
function queryParameter(name, schema) {
  const json = answered.toJsonSchema(schema);
  return {
    name,
    in: 'query',
    required: !schema.safeParse(undefined).success,
    ...(json.type === 'array' ? { style: 'form', explode: false } : {}),
    schema: json,
  };
}

function requestBody({ method, path, body }) {
  const example = examples.get(`${method} ${path}`);
  return {
    required: !body.safeParse(undefined).success,
    content: { 'application/json': { schema: sent.toJsonSchema(body), example } },
  };
}

function answers({ method, answers: byStatus, answerHeaders = [], mediaType = 'application/json' }) {
  const headers = [...answerHeaders, ...(method === 'POST' ? ['Idempotency-Replayed'] : [])];
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, schema]) => [
      status,
      {
        description: schema === null ? 'Done; there is nothing to say.' : SUCCESS[status],
        ...(headers.length === 0 ? {} : { headers: headerReferences(headers) }),
        ...(schema === null ? {} : { content: { [mediaType]: { schema: answered.toJsonSchema(schema) } } }),
      },
    ]),
  );
}

const SUCCESS = { 200: 'As asked.', 201: 'Created.', 202: 'Accepted; it goes on by itself.' };

/** One answer for each status, with the codes it may carry. */
function refusals(route) {
  const codes = routeErrors(route);
  const statuses = [...new Set(codes.map((code) => ERRORS[code].status))].toSorted((a, b) => a - b);
  return Object.fromEntries(statuses.map((status) => [status, refusal(status, codes)]));
}

function refusal(status, codes) {
  const own = codes.filter((code) => ERRORS[code].status === status);
  return {
    description: own.map((code) => `\`${code}\`: ${ERRORS[code].title}.`).join(' '),
    ...(status === 401 ? { headers: headerReferences(['WWW-Authenticate']) } : {}),
    ...(status === 429
      ? { headers: headerReferences(['Retry-After', 'RateLimit', 'RateLimit-Policy']) }
      : {}),
    ...(status === 503 ? { headers: headerReferences(['Retry-After']) } : {}),
    content: { 'application/problem+json': { schema: answered.toJsonSchema(contracts.problemDocument) } },
  };
}

function headerReferences(names) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
