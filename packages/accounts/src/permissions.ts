import {
  DURABLES,
  HINT_SUBJECTS,
  INBOX_PREFIX,
  MESSAGES,
  SERVICE_NAMES,
  STREAMS,
  type Message,
  type ServiceName,
  type StreamName,
} from '@baton/contracts';

/** Subjects that a user of NATS may publish on and subscribe to, and no others. */
export type Permissions = { readonly publish: readonly string[]; readonly subscribe: readonly string[] };

const messages: readonly Message[] = Object.values(MESSAGES);

/** What agents ask of Baton: all verbs of a family together, as the registry grows by verbs. */
export const agentRequests: readonly string[] = patternsOf(messages.filter(isAgentRequest));

/** What agents say without being answered: their beats. */
export const agentBeats: readonly string[] = patternsOf(
  messages.filter((message) => message.from === 'agent' && !isAgentRequest(message)),
);

/** What Baton says to agents. */
export const agentHears: readonly string[] = patternsOf(messages.filter(isToAgent));

/** The beat that a distributor publishes through the agents' account, and hears through its own. */
export const probeBeat = HINT_SUBJECTS.distributorBeat('*');

/** One agent's rights; `self` is its id, or what the server puts in its place. No subject is in both lists. */
export function agentPermissions(self: string): Permissions {
  const ownOf = (patterns: readonly string[]) => patterns.map((pattern) => pattern.replace('*', self));
  return {
    publish: ownOf([...agentRequests, ...agentBeats]),
    subscribe: [...ownOf(agentHears), `${INBOX_PREFIX.agent(self)}.>`],
  };
}

/** The least a service needs, read from the registry of messages. */
export function servicePermissions(name: ServiceName): Permissions {
  const own = messages.filter(({ from, alsoFrom }) => from === name || alsoFrom?.includes(name));
  const heard = messages.filter((message) => message.group === 'hint' || hearerOf(message) === name);
  return {
    publish: [
      ...patternsOf(own),
      ...(name === 'task-service' ? Object.values(STREAMS).flatMap(({ subjects }) => subjects) : []),
      ...(heard.some(({ answer }) => answer !== undefined) ? replySubjects : []),
      ...(Object.keys(STREAMS) as StreamName[]).flatMap(streamSubjects),
      ...consumerSubjects(name),
    ],
    subscribe: [
      ...patternsOf(heard),
      ...(name === 'distribution-service' ? [probeBeat] : []),
      `${INBOX_PREFIX.service(name)}.>`,
    ],
  };
}

/** Where services are answered; `_R_` is what servers make of a reply subject that comes from another account. */
const replySubjects = [...SERVICE_NAMES.map((name) => `${INBOX_PREFIX.service(name)}.>`), '_R_.>'];

/** Every service makes the streams again that it finds missing; none may delete, purge or read around them. */
function streamSubjects(stream: StreamName): readonly string[] {
  return ['INFO', 'CREATE', 'UPDATE'].map((verb) => `$JS.API.STREAM.${verb}.${stream}`);
}

/** Who reads each durable. */
const readers = {
  reactors: 'task-service',
  outcomes: 'task-service',
  distribution: 'distribution-service',
  metrics: 'metrics-service',
} as const satisfies Record<keyof typeof DURABLES, ServiceName>;

function consumerSubjects(name: ServiceName): readonly string[] {
  // A replica of metrics-service has a consumer of its own for its live stream, under a name it makes up.
  const own = (Object.keys(readers) as (keyof typeof readers)[]).filter((key) => readers[key] === name);
  const consumers = name === 'metrics-service' ? ['*'] : own.map((key) => DURABLES[key]);
  const streams = Object.keys(STREAMS) as StreamName[];
  return streams.flatMap((stream) => consumers.flatMap((consumer) => verbsOf(stream, consumer)));
}

function verbsOf(stream: StreamName, consumer: string): readonly string[] {
  return [
    `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
    `$JS.API.CONSUMER.CREATE.${stream}.${consumer}`,
    `$JS.API.CONSUMER.CREATE.${stream}.${consumer}.>`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${consumer}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
    // With and, from 2.14, without the domain and the account in front.
    `$JS.ACK.${stream}.${consumer}.>`,
    `$JS.ACK.*.*.${stream}.${consumer}.>`,
  ];
}

function isAgentRequest({ from, answer }: Message): boolean {
  return from === 'agent' && answer !== undefined;
}

function isToAgent({ from, subject }: Message): boolean {
  return from !== 'agent' && subject.startsWith('agent.');
}

/** Which service a message is for; its subject tells, as agents' requests are all task-service's. */
function hearerOf(message: Message): ServiceName | undefined {
  if (isToAgent(message)) return undefined;
  if (message.from === 'agent') return isAgentRequest(message) ? 'task-service' : 'distribution-service';
  return message.subject.startsWith('svc.distribution.') ? 'distribution-service' : 'task-service';
}

/** Subjects of the registry as patterns; the last word of those with a verb is left open. */
function patternsOf(some: readonly Message[]): readonly string[] {
  const patterns = some.map(({ subject }) =>
    subject.replaceAll(/\{\w+\}/g, '*').replace(/^(agent\.\*\.(?:task|call)\.)\w+$/, '$1*'),
  );
  return [...new Set(patterns)];
}
