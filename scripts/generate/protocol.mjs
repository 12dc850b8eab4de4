import * as contracts from '../../packages/contracts/dist/index.js';
import { fieldTable, shapes } from './fields.mjs';
import { readFixture } from './fixtures.mjs';
import { code, generatedNote, table } from './markdown.mjs';
import { agentMessages, callMessages, hintMessages, serviceMessages, taskMessages } from './messages.mjs';

const { DURABLES, EVENTS, LIMITS, PROTOCOL_VERSION, STREAM_LIMITS, STREAMS } = contracts;

/** `docs/protocol.md`: subjects, messages and events, with examples that the tests parse. */
export function renderProtocol() {
  return `${generatedNote('packages/contracts')}

# The protocol

Everything on the wire is plain JSON. "JSON" as a type is any value of at most ${LIMITS.payloadBytes / 1024} KiB and
${LIMITS.jsonDepth} levels without NUL, lone surrogates and the keys \`__proto__\`, \`constructor\`, \`prototype\`. Fields a receiver does
not know are ignored in messages and refused in the bodies of requests that create something. \`a.b\` is a field of
a field, \`a[].b\` one of each item. The codes of errors are in [errors.md](errors.md), the life of a task in
[state-machine.md](state-machine.md).

## Agents

An agent is any NATS client; it needs no JetStream. It may publish on \`agent.<id>.hello\`, \`.heartbeat\`, \`.goodbye\`,
\`.task.*\`, \`.call.*\` and subscribe to \`agent.<id>.offer\`, \`.control\`, \`.inbox\` and its own inbox \`_INBOX.<id>\`. **Set your
client's inbox prefix to \`_INBOX.<id>\`**: answers go nowhere else, and a request with another reply subject is
dropped. Who
it is follows from the subject alone. Messages are at most ${LIMITS.agentMessageBytes / 1024} KiB. The header
\`${contracts.HEADERS.version}: ${PROTOCOL_VERSION}\` names the version; \`${contracts.HEADERS.traceparent}\` travels both ways.

Every request is answered \`{"ok": true, …}\` or
\`{"ok": false, "error": {"code", "message", "retryable", "retryAfterMs"?, "details"?}}\`, the latter also with the headers
\`${contracts.HEADERS.errorCode}\` and \`${contracts.HEADERS.error}\`.

${sections('###', agentMessages)}

### Commands on a task

\`agent.<id>.task.<verb>\`. Each carries the fence: the attempt and the epoch it was assigned with. Whoever does not
hold the task with both is refused (\`STALE_ATTEMPT\`, \`STALE_SESSION\`), and nothing changes. \`commandId\` makes a
repetition harmless: it gets the first answer.

${sections('####', taskMessages)}

### Calls

\`agent.<id>.call.<verb>\`: what an agent asks for that is not about its own hold on a task.

${sections('####', callMessages)}

## Events

task-service publishes every accepted change. The type is also the subject. A message is a non-empty array of
CloudEvents 1.0 (\`${contracts.EVENT_BATCH_CONTENT_TYPE}\`) of one type, at most ${contracts.EVENT_BATCH_BYTES / 1024} KiB.
Input, context and result are never in events. There is no global order: the version tells the newer of two
events of a task.

${streamTable()}

Durable consumers: ${Object.values(DURABLES).map(code).join(', ')}.

${eventTable()}

### Task event

The id is \`<task id>:<version>\`, the subject the id of the task.

${fieldTable(contracts.taskEvent)}

${example('events/task.assigned')}

### Fleet event

The subject is the id of the agent.

${fieldTable(contracts.fleetEvent)}

${example('events/fleet.connected')}

## Between services

Requests are answered by the queue group of the service, batches with one answer for each item.

${sections('###', serviceMessages)}

### Hints

Published without an answer.

${sections('####', hintMessages)}

## Shapes

${Object.entries(shapes)
  .map(([name, schema]) => `### ${name}\n\n${fieldTable(schema)}`)
  .join('\n\n')}
`;
}

function sections(heading, messages) {
  return messages.map((message) => messageSection(heading, message)).join('\n\n');
}

function messageSection(heading, { name, title, tells, answer, answerName }) {
  const fixture = readFixture(name);
  const parts = [
    `${heading} ${title ?? code(fixture.subject)}`,
    tells,
    fieldTable(schemaOf(fixture)),
    example(name),
  ];
  if (answer) parts.push(`Answer: ${answer}`);
  if (answerName) parts.push('Answer:', fieldTable(schemaOf(readFixture(answerName))), example(answerName));
  return parts.join('\n\n');
}

function example(name) {
  return `\`\`\`json\n${JSON.stringify(readFixture(name).message)}\n\`\`\``;
}

function streamTable() {
  const hours = STREAM_LIMITS.maxAgeMs / 3_600_000;
  const gibibytes = STREAM_LIMITS.maxBytes / 1024 ** 3;
  const minutes = STREAM_LIMITS.duplicateWindowMs / 60_000;
  const limits = `${hours} h, ${gibibytes} GiB, then the oldest go; duplicates are found for ${minutes} min`;
  const rows = Object.values(STREAMS).map(({ name, subjects }) => [code(name), subjects.length, limits]);
  return table(['Stream', 'Subjects', 'Keeps'], rows);
}

function eventTable() {
  const rows = Object.entries(EVENTS).map(([type, { stream, tells }]) => [code(type), code(stream), tells]);
  return table(['Event', 'Stream', 'Tells'], rows);
}

// `taskCommands.start` is the field of an exported object.
function schemaOf({ schema }) {
  return schema.split('.').reduce((found, part) => found[part], contracts);
}
