import * as contracts from '../../packages/contracts/dist/index.js';
import { fieldTable, shapes } from './fields.mjs';
import { hasFixture, readFixture } from './fixtures.mjs';
import { code, generatedNote, table } from './markdown.mjs';

const {
  DURABLES,
  EVENTS,
  LIMITS,
  messageErrors,
  MESSAGE_GROUPS,
  MESSAGES,
  PROTOCOL_VERSION,
  STREAM_LIMITS,
  STREAMS,
} = contracts;

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

${sections('###', 'session')}

### Commands on a task

\`agent.<id>.task.<verb>\`. Each carries the fence: the attempt and the epoch it was assigned with. Whoever does not
hold the task with both is refused (\`STALE_ATTEMPT\`, \`STALE_SESSION\`), and nothing changes. \`commandId\` makes a
repetition harmless: it gets the first answer.

${sections('####', 'command')}

#### Several at once

Any of the above subjects takes several commands of its verb in one message.

${fieldTable(contracts.taskItems)}

${example('agent/task.items')}

Answer: \`{ok, items[]}\`, one answer for each command, in the same order.

### Calls

\`agent.<id>.call.<verb>\`: ${lowerFirst(MESSAGE_GROUPS.call)}

${sections('####', 'call')}

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

${sections('###', 'service')}

### Hints

${MESSAGE_GROUPS.hint}

${sections('####', 'hint')}

## Shapes

${Object.entries(shapes)
  .map(([name, schema]) => `### ${name}\n\n${fieldTable(schema)}`)
  .join('\n\n')}
`;
}

function sections(heading, group) {
  return Object.entries(MESSAGES)
    .filter(([, message]) => message.group === group)
    .map(([name, message]) => section(heading, name, message))
    .join('\n\n');
}

function section(heading, name, message) {
  const { subject, from, group, tells, body, answer } = message;
  const title = group === 'service' || group === 'hint' ? code(subject) : name.replace('agent/', '');
  const parts = [`${heading} ${title}`, `${direction(from, group)}${tells}`, fieldTable(body), example(name)];
  if (answer) parts.push('Answer:', fieldTable(answer));
  if (hasFixture(`${name}.answer`)) parts.push(example(`${name}.answer`));
  const refusals = messageErrors(message);
  if (refusals.length > 0) parts.push(`Refused with ${refusals.map(code).join(', ')}.`);
  return parts.join('\n\n');
}

function direction(from, group) {
  if (group !== 'session') return '';
  return from === 'agent' ? '**Agent → Baton.** ' : '**Baton → agent.** ';
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

function lowerFirst(text) {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
