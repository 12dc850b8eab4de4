import type { Queryable } from '../database/database.js';
import type { Part } from '../database/parts.js';
import { pgArray } from '../database/pg-array.js';
import type { OutboxMessage } from './outbox.messages.js';

/** What one committed transaction has to say on the bus. */
export type OutboxRow = { readonly id: string; readonly messages: readonly OutboxMessage[] };

export function insertOutbox({ id, messages }: OutboxRow): Part {
  return {
    key: 'messages',
    sql: (first) => `INSERT INTO outbox (id, messages) VALUES ($${first}, $${first + 1})`,
    // The bodies are JSON already: nested as they are, neither escaped nor parsed again.
    values: [id, `[${messages.map(toJson).join(',')}]`],
  };
}

function toJson({ subject, msgId, body }: OutboxMessage): string {
  return `{"subject":"${subject}","msgId":"${msgId}","body":${body}}`;
}

/** Drops rows whose messages are all acknowledged. */
export async function deleteOutbox(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    name: 'delete-outbox',
    // A row somebody else is just dropping is left to them.
    text: `DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED)`,
    values: [pgArray(ids)],
  });
}

type StoredRow = {
  readonly id: string;
  readonly messages: readonly (Omit<OutboxMessage, 'body'> & { body: unknown })[];
};

/** Claims rows that the process which committed them did not publish in time; oldest first. */
export async function claimOutbox(db: Queryable, limit: number): Promise<readonly OutboxRow[]> {
  const { rows } = await db.query<StoredRow>({
    name: 'claim-outbox',
    text: `UPDATE outbox SET claimed_until = clock_timestamp() + interval '10 seconds' WHERE id IN (
        SELECT id FROM outbox
        WHERE created_at < (SELECT clock_timestamp()) - interval '2 seconds'
          AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
        ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)
      RETURNING id, messages`,
    values: [limit],
  });
  return rows.map(({ id, messages }) => ({
    id,
    messages: messages.map((message) => ({ ...message, body: JSON.stringify(message.body) })),
  }));
}

/** Seconds the oldest unpublished row has waited; 0 when there is none. */
export async function oldestOutboxSeconds(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ seconds: number }>({
    name: 'oldest-outbox',
    text: `SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS seconds FROM outbox`,
  });
  return rows[0]?.seconds ?? 0;
}
