import {
  agentId,
  assignment,
  capability,
  createdTask,
  dependencyResult,
  errorBody,
  taskDetail,
  actor,
  createGraph,
  createTask,
  criteria,
  decision,
  dependency,
  fleetEntry,
  graphTask,
  idempotencyKey,
  inboxItem,
  needs,
  parentFence,
  queuedTask,
  requiredCapability,
  retryPolicy,
  score,
  taskError,
  timestamp,
  traceparent,
  uuid,
  word,
} from '../../packages/contracts/dist/index.js';
import { code, table } from './markdown.mjs';

/** Shapes that several messages share: shown once, linked elsewhere. */
export const shapes = {
  'Task to create': createTask,
  'Task of a graph': graphTask,
  Graph: createGraph,
  Dependency: dependency,
  Criteria: criteria,
  'Required capability': requiredCapability,
  Capability: capability,
  'Retry policy': retryPolicy,
  Parent: parentFence,
  'Task error': taskError,
  'Inbox item': inboxItem,
  Needs: needs,
  'Queued task': queuedTask,
  Agent: fleetEntry,
  Decision: decision,
  Assignment: assignment,
  Task: taskDetail,
  'Created task': createdTask,
  'Dependency result': dependencyResult,
  Refusal: errorBody,
  Score: score,
};

const words = {
  UUID: uuid,
  actor,
  'agent id': agentId,
  word,
  timestamp,
  traceparent,
  'idempotency key': idempotencyKey,
};

const named = new Map([
  ...Object.entries(words).map(([name, schema]) => [keyOf(toJsonSchema(schema)), name]),
  ...Object.entries(shapes).map(([name, schema]) => [keyOf(toJsonSchema(schema)), link(name)]),
]);

/** The fields of a message as a table: `a.b` is a field of a field, `a[].b` one of each item. */
export function fieldTable(schema) {
  const rows = fieldsOf(toJsonSchema(schema), '');
  return table(['Field', 'Type', ''], rows);
}

/** The JSON Schema of what a sender may write. */
function toJsonSchema(schema) {
  const { $schema: _, ...rest } = schema.toJSONSchema({ io: 'input', unrepresentable: 'any' });
  return rest;
}

function fieldsOf(schema, prefix) {
  if (schema.type === 'array') return within(schema.items, `${prefix}[]`);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const presence = schema.required?.includes(name) ? 'required' : whenLeftOut(field);
    return [[code(path), typeOf(field), presence], ...within(field, path)];
  });
}

// What is below a field that has no name of its own.
function within(schema, path) {
  if (named.has(keyOf(schema))) return [];
  if (schema.type === 'array') return within(schema.items, `${path}[]`);
  if (schema.type === 'object') return fieldsOf(schema, path);
  return withinVariants(
    (schema.anyOf ?? []).map((variant) => within(variant, path)).filter((rows) => rows.length > 0),
  );
}

// Each field once; only what is in every variant is required.
function withinVariants(variants) {
  const byPath = new Map();
  for (const [path, type, presence] of variants.flat()) {
    const others = byPath.get(path) ?? [];
    byPath.set(path, [...others, { type, presence }]);
  }
  return [...byPath].map(([path, found]) => [
    path,
    [...new Set(found.map(({ type }) => type))].join(' or '),
    found.length < variants.length ? 'optional' : found[0].presence,
  ]);
}

function typeOf(schema) {
  const name = named.get(keyOf(schema));
  if (name) return name;
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if ('const' in schema) return code(JSON.stringify(schema.const));
  if (schema.enum) return schema.enum.map((value) => code(value)).join(' or ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(' or ');
  if (schema.type === 'array')
    return `list of ${typeOf(schema.items)}${range(schema.minItems, schema.maxItems)}`;
  if (schema.type === 'object') return objectType(schema);
  if (schema.type === 'string') return `text${range(schema.minLength || undefined, schema.maxLength)}`;
  if (schema.type === 'null') return 'null';
  if (schema.type === undefined) return 'JSON';
  return `${schema.type}${range(lowest(schema), schema.maximum)}`;
}

function objectType({ properties, additionalProperties }) {
  return properties || !additionalProperties ? 'object' : `object of ${typeOf(additionalProperties)}`;
}

function lowest({ minimum, exclusiveMinimum }) {
  return exclusiveMinimum === undefined ? minimum : `more than ${exclusiveMinimum}`;
}

function range(from, to) {
  const isLimit = (bound) => bound !== undefined && Math.abs(bound) !== Number.MAX_SAFE_INTEGER;
  const isFloor = typeof from === 'string' || (isLimit(from) && from !== 0);
  if (isLimit(to)) return isFloor || from === 0 ? `, ${from} to ${to}` : `, at most ${to}`;
  return isFloor ? `, at least ${from}` : '';
}

function whenLeftOut(field) {
  return 'default' in field ? `default ${code(JSON.stringify(field.default))}` : 'optional';
}

// Two schemas are the same shape whatever is assumed when the field is left out.
function keyOf({ default: _, ...schema }) {
  return JSON.stringify(schema);
}

function link(name) {
  return `[${name}](#${name.toLowerCase().replaceAll(' ', '-')})`;
}
