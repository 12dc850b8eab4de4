import type { Queryable } from '../database/database.js';
import { parameters, type Part } from '../database/parts.js';
import { joinJson, pgArray } from '../database/pg-array.js';

/** One accepted change as `task_events` keeps it. `at` is milliseconds of the epoch, `data` JSON text. */
export type EventRow = {
  readonly taskId: string;
  readonly version: number;
  readonly type: string;
  readonly data: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly attempt: number;
  readonly commandId: string | null;
  readonly traceparent: string | null;
  readonly at: number;
};

export function insertEvents(events: readonly EventRow[]): Part {
  return {
    key: 'events',
    sql: (first) => `INSERT INTO task_events
        (task_id, version, event_type, event_data, actor, reason, attempt, command_id, traceparent, created_at)
      SELECT a, b, c, d, e, f, g, h, i, to_timestamp(j / 1000)
      FROM unnest(${parameters(EVENT_TYPES, first)}) AS u(a, b, c, d, e, f, g, h, i, j)`,
    values: [
      pgArray(events.map((event) => event.taskId)),
      pgArray(events.map((event) => event.version)),
      pgArray(events.map((event) => event.type)),
      joinJson(events.map((event) => event.data)),
      pgArray(events.map((event) => event.actor)),
      pgArray(events.map((event) => event.reason)),
      pgArray(events.map((event) => event.attempt)),
      pgArray(events.map((event) => event.commandId)),
      pgArray(events.map((event) => event.traceparent)),
      pgArray(events.map((event) => event.at)),
    ],
  };
}

const EVENT_TYPES = ['uuid', 'int', 'text', 'json', 'text', 'text', 'int', 'uuid', 'text', 'float8'];

/** Whether exactly this event is there, and not that of another transaction that came to the same version. */
export async function isStored(
  db: Queryable,
  { taskId, version, at, actor, commandId }: EventRow,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'is-stored',
    text: `SELECT FROM task_events WHERE task_id = $1 AND version = $2
        AND created_at = to_timestamp($3::float8 / 1000) AND actor = $4 AND command_id IS NOT DISTINCT FROM $5::uuid`,
    values: [taskId, version, at, actor, commandId],
  });
  return rowCount === 1;
}

export type AcceptedBefore = {
  readonly taskId: string;
  readonly commandId: string;
  readonly actor: string;
  readonly version: number;
  readonly attempt: number;
  readonly status: string;
};

/**
 * Which of these commands were accepted before: asked only for commands about to be refused. An event that left the
 * status as it was does not say it: the latest before it that does so counts.
 */
export async function findAccepted(
  db: Queryable,
  commands: readonly { readonly taskId: string; readonly commandId: string }[],
): Promise<readonly AcceptedBefore[]> {
  const { rows } = await db.query<AcceptedBefore>({
    name: 'find-accepted',
    text: `SELECT e.task_id AS "taskId", e.command_id AS "commandId", e.actor, e.version, e.attempt,
        (SELECT s.event_data->'changes'->>'status' FROM task_events s
          WHERE s.task_id = e.task_id AND s.version <= e.version AND s.event_data->'changes'->>'status' IS NOT NULL
          ORDER BY s.version DESC LIMIT 1) AS status
      FROM unnest($1::uuid[], $2::uuid[]) AS u(task_id, command_id)
      JOIN task_events e ON e.task_id = u.task_id AND e.command_id = u.command_id`,
    values: [
      pgArray(commands.map(({ taskId }) => taskId)),
      pgArray(commands.map(({ commandId }) => commandId)),
    ],
  });
  return rows;
}
