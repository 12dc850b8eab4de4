import { z } from 'zod';
import { TASK_STATUSES } from './task.js';
import { agentId, timestamp, uuid } from './words.js';

/** What a span of a task's life tells of. */
export const LIFE_SPANS = {
  task: 'the whole life, from creation to the end',
  wait: 'nobody has the task; `name` is its status',
  attempt: 'an agent has the task, from assignment until it has it no more',
  work: 'the part of an attempt in which the agent works on it',
  delegation: 'from the handing over until the agent it went to begins, or it goes another way',
  child: 'the whole life of a child; `taskId` is its id',
} as const;
export type LifeSpanKind = keyof typeof LIFE_SPANS;

const spanId = z.string();

/** A part of a task's life. `id` is the same whenever it is read. */
export const lifeSpan = z.object({
  id: spanId,
  /** Null for that of the task itself. */
  parentId: spanId.nullable(),
  kind: z.enum(Object.keys(LIFE_SPANS) as [LifeSpanKind, ...LifeSpanKind[]]),
  name: z.string(),
  startedAt: timestamp,
  /** Null while it goes on. */
  endedAt: timestamp.nullable(),
  /** What became of it: the status the task went on to, or `delegated`; null while it goes on. */
  outcome: z.string().nullable(),
  /** Why it began, for a wait; why it ended, for anything else. */
  reason: z.string().nullable(),
  attempt: z.number().int(),
  /** Who has it, works on it or was handed it; null where that is nobody. */
  agent: agentId.nullable(),
  taskId: uuid,
  /** Spans it follows from: the attempt it retries, or from which it was handed on. */
  links: z.array(z.object({ spanId, relation: z.enum(['retries', 'delegatedFrom']) })),
});
export type LifeSpan = Readonly<z.infer<typeof lifeSpan>>;

/** The life of a task as spans, of its history alone. */
export const taskTrace = z.object({
  taskId: uuid,
  parentTaskId: uuid.nullable(),
  rootTaskId: uuid,
  /** The trace of OpenTelemetry the task belongs to; null when its creator sent no context and none is made. */
  traceId: z.string().nullable(),
  status: z.enum(TASK_STATUSES),
  /** In order of their begin. */
  spans: z.array(lifeSpan),
  /** Whether its history or its children are longer than what is shown: 5,000 changes, 200 children. */
  truncated: z.boolean(),
});
export type TaskTrace = Readonly<z.infer<typeof taskTrace>>;
