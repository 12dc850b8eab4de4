import { z } from 'zod';
import { taskEvent } from './events.js';
import { uuid } from './words.js';

/** A transaction id of Postgres (`xid8`) in decimal. */
const transactionId = z.string().regex(/^\d{1,20}$/);

/**
 * The place of an event in the history: in order of commits with `xid`, that of the transaction that wrote it, without
 * one in order of tasks.
 */
export const eventCursor = z.object({
  xid: transactionId.optional(),
  taskId: uuid,
  version: z.int32().min(0),
});
export type EventCursor = z.infer<typeof eventCursor>;

/** Before every event of the history, in order of tasks. */
export const HISTORY_BEGIN: EventCursor = { taskId: '00000000-0000-0000-0000-000000000000', version: 0 };

/** `svc.task.events`: the events of the history behind `after`. */
export const eventsRequest = z.object({
  after: eventCursor,
  /** Only those of this task; only in order of tasks. */
  taskId: uuid.optional(),
  limit: z.number().int().min(1).max(2_000).default(500),
  /** Tell only which events there are: costs an index, where an event costs the replay of its task up to it. */
  brief: z.boolean().default(false),
});
export type EventsRequest = z.input<typeof eventsRequest>;

export const eventsAnswer = z.object({
  /** Each event of the page, in order. */
  versions: z.array(z.object({ taskId: uuid, version: z.number().int() })),
  /** The same as they were published; none of a brief page. */
  events: z.array(taskEvent),
  /** Behind the last event of the page; null when there is no more for now. */
  next: eventCursor.nullable(),
  /**
   * Every transaction below it is over, and committed ones can be read. Pages in order of commits end before it; who
   * read all of them goes on behind `{xid: horizon}` and misses nothing.
   */
  horizon: transactionId,
});
export type EventsAnswer = z.infer<typeof eventsAnswer>;
