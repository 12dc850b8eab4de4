import { FLEET_EVENT_TYPES, TASK_EVENT_TYPES } from './events.js';

/** The services, as their users of NATS and their inboxes are named. */
export const SERVICE_NAMES = ['task-service', 'distribution-service', 'metrics-service'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Every subject, stream and durable name. Nothing else in the code spells one. */
export const STREAMS = {
  TASKS: { name: 'TASKS', subjects: TASK_EVENT_TYPES },
  FLEET: { name: 'FLEET', subjects: FLEET_EVENT_TYPES },
} as const;
export type StreamName = keyof typeof STREAMS;

/** Limits of both streams: an event log for readers that are at most an hour behind; Postgres heals the rest. */
export const STREAM_LIMITS = {
  maxAgeMs: 3_600_000,
  maxBytes: 4 * 1024 * 1024 * 1024,
  duplicateWindowMs: 300_000,
} as const;

export const DURABLES = {
  distribution: 'distribution',
  reactors: 'reactors',
  outcomes: 'outcomes',
  metrics: 'metrics',
} as const;

/** Requests between services, answered by the queue group named after the answering service. */
export const SERVICE_SUBJECTS = {
  assign: 'svc.task.assign',
  backlog: 'svc.task.backlog',
  forgotten: 'svc.task.forgotten',
  events: 'svc.task.events',
  snapshot: 'svc.agent.snapshot',
  expire: 'svc.agent.expire',
  lease: 'svc.shard.lease',
  check: 'svc.auth.check',
  choose: 'svc.distribution.assign',
  simulate: 'svc.distribution.simulate',
  explain: 'svc.distribution.explain',
  best: 'svc.distribution.best',
} as const;

/** A request to the distributor that owns a shard. */
export const placeSubject = (shard: number | string) => `svc.distribution.place.${shard}`;

/** Hints, published without an answer; loss is healed by snapshots. */
export const HINT_SUBJECTS = {
  fleet: 'svc.fleet',
  slots: 'svc.slots',
  usage: 'svc.usage',
  types: 'svc.types',
  policy: 'svc.policy',
  /** A distributor's own beat: sent the way agents' beats come, heard over the connection that hears them. */
  distributorBeat: (instance: string) => `svc.distribution.beat.${instance}`,
} as const;

/** Hints to whoever watches one task: unordered, and none is ever repeated. */
export const taskFeedSubject = (taskId: string) => `task.${taskId}.feed`;
export const taskProgressSubject = (taskId: string) => `task.${taskId}.progress`;

export const QUEUE_GROUPS = { task: 'task-service', distribution: 'distribution-service' } as const;

/** What a holder leaves with its task while it works on it; only agents say it, and no version of the task comes of it. */
export const REPORT_VERBS = ['log', 'artifact', 'checkpoint'] as const;
export type ReportVerb = (typeof REPORT_VERBS)[number];
export const TASK_VERBS = [
  'start',
  'progress',
  ...REPORT_VERBS,
  'complete',
  'fail',
  'return',
  'delegate',
  'block',
] as const;
export type TaskVerb = (typeof TASK_VERBS)[number];
export const CALL_VERBS = [
  'create',
  'spawn',
  'get',
  'agents',
  'list',
  'wait',
  'history',
  'decision',
  'update',
  'release',
  'link',
  'unlink',
  'unblock',
  'delete',
  'reopen',
  'cancel',
  'answer',
  'inbox',
  'ack',
  'renew',
] as const;
export type CallVerb = (typeof CALL_VERBS)[number];

/** Subjects of one agent. `id` may be `*` to subscribe for all. */
export const agentSubject = {
  hello: (id: string) => `agent.${id}.hello`,
  heartbeat: (id: string) => `agent.${id}.heartbeat`,
  goodbye: (id: string) => `agent.${id}.goodbye`,
  offer: (id: string) => `agent.${id}.offer`,
  control: (id: string) => `agent.${id}.control`,
  inbox: (id: string) => `agent.${id}.inbox`,
  task: (id: string, verb: TaskVerb) => `agent.${id}.task.${verb}`,
  call: (id: string, verb: CallVerb) => `agent.${id}.call.${verb}`,
} as const;

/** The agent an agent subject belongs to: the only source of an agent's identity. */
export function agentOfSubject(subject: string): string {
  const start = 'agent.'.length;
  return subject.slice(start, subject.indexOf('.', start));
}

export const INBOX_PREFIX = {
  agent: (id: string) => `_INBOX.${id}`,
  service: (name: ServiceName) => `_INBOX.svc-${name}`,
} as const;

export const HEADERS = {
  version: 'Baton-Version',
  traceparent: 'traceparent',
  errorCode: 'Nats-Service-Error-Code',
  error: 'Nats-Service-Error',
} as const;

export const PROTOCOL_VERSION = '1';
