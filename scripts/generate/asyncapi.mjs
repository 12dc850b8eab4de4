import { readFileSync } from 'node:fs';
import * as contracts from '../../packages/contracts/dist/index.js';
import { hasFixture, readFixture } from './fixtures.mjs';
import { createJsonSchemas } from './json-schema.mjs';

const { ERRORS, EVENT_BATCH_CONTENT_TYPE, EVENTS, HEADERS, MESSAGE_GROUPS, MESSAGES, messageErrors } =
  contracts;

const { toJsonSchema, components } = createJsonSchemas({
  direction: 'sent',
  shapes: {
    Agent: contracts.fleetEntry,
    Assignment: contracts.assignment,
    CreatedTask: contracts.createdTask,
    Decision: contracts.decision,
    DependencyResult: contracts.dependencyResult,
    Error: contracts.errorBody,
    FleetEvent: contracts.fleetEvent,
    InboxItem: contracts.inboxItem,
    Needs: contracts.needs,
    NewGraph: contracts.createGraph,
    NewTask: contracts.createTask,
    QueuedTask: contracts.queuedTask,
    Refusal: contracts.refusal,
    Task: contracts.taskDetail,
    TaskError: contracts.taskError,
    TaskEvent: contracts.taskEvent,
  },
});

const PARAMETERS = {
  agentId: 'The id of the agent: who speaks follows from it alone.',
  shard: 'A shard of the fleet, 0 to 63.',
};

/** `docs/asyncapi.json`: everything Baton says and hears over NATS as AsyncAPI 3, seen from task-service. */
export function renderAsyncApi() {
  const all = [...Object.entries(MESSAGES).map(request), ...Object.entries(EVENTS).map(event)];
  const { version, license } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  const tags = { ...MESSAGE_GROUPS, event: 'What happened, for anyone: CloudEvents 1.0 in batches.' };
  return JSON.stringify({
    asyncapi: '3.0.0',
    info: {
      title: 'Baton',
      version,
      description:
        'What agents and services say over NATS. `receive` is what Baton hears, `send` what it says. A request has its ' +
        'reply subject from the client; answers to an agent go to its own inbox alone. docs/protocol.md says more.',
      license: { name: license },
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    },
    defaultContentType: 'application/json',
    channels: Object.assign({}, ...all.map(({ channels }) => channels)),
    operations: Object.assign({}, ...all.map(({ operations }) => operations)),
    components: {
      messages: Object.assign({}, ...all.map(({ messages }) => messages)),
      schemas: components(),
    },
  });
}

function request([name, message]) {
  const { subject, group, from, tells, body, answer } = message;
  const id = idOf(name);
  const asked = channel(id, { address: subject, tells });
  const answered = answer && channel(`${id}Answer`, { address: null, tells: `Answers ${subject}.` });
  const schema = toJsonSchema(body);
  const several = { anyOf: [schema, toJsonSchema(contracts.taskItems)] };
  return {
    channels: { ...asked, ...answered },
    operations: {
      [id]: {
        action: from === 'task-service' ? 'send' : 'receive',
        channel: { $ref: `#/channels/${id}` },
        summary: tells,
        tags: [{ name: group }],
        messages: [{ $ref: `#/channels/${id}/messages/${id}` }],
        ...(answer ? { reply: reply(id) } : {}),
      },
    },
    messages: {
      [id]: said(name, group === 'command' ? several : schema),
      ...(answer ? { [`${id}Answer`]: answerMessage(name, message) } : {}),
    },
  };
}

function reply(id) {
  return {
    channel: { $ref: `#/channels/${id}Answer` },
    messages: [{ $ref: `#/channels/${id}Answer/messages/${id}Answer` }],
  };
}

function answerMessage(name, message) {
  const codes = messageErrors(message);
  const schema = toJsonSchema(message.answer);
  if (codes.length === 0) return said(`${name}.answer`, schema);
  const items = contracts.itemsOf(contracts.taskAnswer);
  const variants = message.group === 'command' ? [schema, toJsonSchema(contracts.accepted(items))] : [schema];
  return {
    ...said(`${name}.answer`, { anyOf: [...variants, toJsonSchema(contracts.refusal)] }),
    description: `Refused with ${codes.map((code) => `\`${code}\` (${ERRORS[code].title})`).join(', ')}.`,
    headers: {
      type: 'object',
      properties: { [HEADERS.errorCode]: { type: 'string' }, [HEADERS.error]: { type: 'string' } },
    },
  };
}

function event([type, { stream, tells }]) {
  const id = idOf(`events/${type}`);
  const isOfTask = type.startsWith('task.');
  const batch = toJsonSchema(isOfTask ? contracts.taskEventBatch : contracts.fleetEventBatch);
  return {
    channels: channel(id, { address: type, tells: `Events of this type, kept in the stream ${stream}.` }),
    operations: {
      [id]: {
        action: 'send',
        channel: { $ref: `#/channels/${id}` },
        summary: `${tells}.`,
        tags: [{ name: 'event' }],
        messages: [{ $ref: `#/channels/${id}/messages/${id}` }],
      },
    },
    messages: { [id]: { ...said(`events/${type}`, batch), contentType: EVENT_BATCH_CONTENT_TYPE } },
  };
}

function channel(id, { address, tells }) {
  const names = [...(address ?? '').matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const parameters = Object.fromEntries(names.map((name) => [name, { description: PARAMETERS[name] }]));
  return {
    [id]: {
      address,
      description: tells,
      messages: { [id]: { $ref: `#/components/messages/${id}` } },
      ...(names.length === 0 ? {} : { parameters }),
    },
  };
}

function said(name, payload) {
  const example = hasFixture(name) ? { examples: [{ payload: readFixture(name).message }] } : {};
  return { name, payload, ...example };
}

/** `agent/task.start` is `agentTaskStart`, `events/task.created` is `taskCreated`. */
function idOf(name) {
  return name.replace('events/', '').replaceAll(/[/.](\w)/g, (_, letter) => letter.toUpperCase());
}
