import { fleetEventBatch, taskEventBatch } from '@baton/contracts';
import type { FleetEvent, StreamName, TaskEvent } from '@baton/contracts';

/** What a handler of a stream gets: the events of one message. */
export type EventBatch = readonly TaskEvent[] | readonly FleetEvent[];

export type ReadBatch =
  { readonly ok: true; readonly events: EventBatch } | { readonly ok: false; readonly reason: string };

/** Reads one message of a stream: a non-empty array of events, each of the type the subject names. */
export function readEventBatch(stream: StreamName, subject: string, text: string): ReadBatch {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { ok: false, reason: 'expected JSON' };
  }
  const schema = stream === 'TASKS' ? taskEventBatch : fleetEventBatch;
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { ok: false, reason: `not a batch of events: /${issue?.path.join('/')} ${issue?.message}` };
  }
  const stranger = parsed.data.find((event) => event.type !== subject);
  if (stranger) return { ok: false, reason: `an event of type ${stranger.type} on subject ${subject}` };
  return { ok: true, events: parsed.data };
}
