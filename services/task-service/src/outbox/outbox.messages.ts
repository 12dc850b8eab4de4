import { EVENT_BATCH_BYTES, type EventType } from '@baton/contracts';

/** A message as it waits in the outbox: its own random id, since the stream's window would drop a second one. */
export type OutboxMessage = { readonly subject: string; readonly msgId: string; readonly body: string };

/** Groups events by type into CloudEvents batches, each at most `EVENT_BATCH_BYTES` unless one event is larger. */
export function toMessages(
  events: readonly { readonly type: EventType; readonly json: string }[],
  newId: () => string,
): readonly OutboxMessage[] {
  const open = new Map<EventType, { parts: string[]; bytes: number }>();
  const messages: OutboxMessage[] = [];
  const close = (subject: EventType, parts: readonly string[]) =>
    messages.push({ subject, msgId: newId(), body: `[${parts.join(',')}]` });
  for (const { type, json } of events) {
    const batch = open.get(type);
    // Characters stand for bytes, at most three to one: the bound is ours, far below the server's.
    if (batch === undefined || batch.bytes + json.length > EVENT_BATCH_BYTES) {
      if (batch !== undefined) close(type, batch.parts);
      open.set(type, { parts: [json], bytes: json.length });
    } else {
      batch.parts.push(json);
      batch.bytes += json.length;
    }
  }
  for (const [type, { parts }] of open) close(type, parts);
  return messages;
}
