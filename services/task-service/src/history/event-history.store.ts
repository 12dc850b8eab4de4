import type { EventCursor, TaskEventType } from '@baton/contracts';
import { everywhere } from '../database/archive-tables.js';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import type { ReplayEvent } from '../tasks/task.fold.js';
import type { Changed } from '../tasks/task.js';

/** Where an event is; `xid` in order of commits. */
export type Place = { readonly taskId: string; readonly version: number; readonly xid?: string };

export type PageRequest = {
  readonly after: EventCursor;
  readonly taskId?: string | undefined;
  readonly limit: number;
};

export type PlacePage = { readonly places: readonly Place[]; readonly horizon: string };

/**
 * Which events follow. In order of commits only what transactions wrote that were over when the statement began: one
 * that commits later has a higher id than all of them, so nothing is ever passed. Costs the page and the transaction
 * it begins in, along the index.
 */
export async function findPlaces(db: Queryable, { after, taskId, limit }: PageRequest): Promise<PlacePage> {
  const { rows } = await (after.xid === undefined
    ? db.query<PlaceRow>({
        name: 'events-by-task',
        text: BY_TASK,
        values: [after.taskId, after.version, limit, taskId ?? null],
      })
    : db.query<PlaceRow>({
        name: 'events-by-commit',
        text: BY_COMMIT,
        values: [after.taskId, after.version, limit, after.xid],
      }));
  const places = rows.flatMap(({ taskId: id, version, xid }) =>
    id === null ? [] : [{ taskId: id, version, ...(after.xid === undefined ? {} : { xid }) }],
  );
  return { places, horizon: rows[0]?.horizon ?? '0' };
}

type PlaceRow = { taskId: string | null; version: number; xid: string; horizon: string };

const EVENTS = everywhere('task_events', ['task_id', 'version', 'xid']);

/** The horizon comes also with an empty page. */
const paged = (events: string): string => `
  SELECT p.task_id AS "taskId", p.version, p.xid::text, pg_snapshot_xmin(pg_current_snapshot())::text AS horizon
  FROM (SELECT) AS one LEFT JOIN (${events}) p ON true`;

const BY_TASK = paged(`SELECT * FROM ${EVENTS} e
  WHERE (task_id, version) > ($1::uuid, $2::int) AND task_id >= coalesce($4::uuid, $1::uuid)
    AND task_id <= coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  ORDER BY task_id, version LIMIT $3`);

const BY_COMMIT = paged(`SELECT * FROM ${EVENTS} e
  WHERE xid >= $4::xid8 AND xid < pg_snapshot_xmin(pg_current_snapshot())
    AND (xid, task_id, version) > ($4::xid8, $1::uuid, $2::int)
  ORDER BY xid, task_id, version LIMIT $3`);

/** An event as replay and its readers need it. */
export type StoredEvent = ReplayEvent & {
  readonly taskId: string;
  readonly type: TaskEventType;
  readonly detail: Pick<NonNullable<Changed['detail']>, 'decision'>;
};

/** The events of these tasks up to the version given of each, by task and version. */
export async function findEventsUpTo(
  db: Queryable,
  tasks: ReadonlyMap<string, number>,
): Promise<readonly StoredEvent[]> {
  const { rows } = await db.query<StoredRow>({
    name: 'events-up-to',
    text: UP_TO,
    values: [pgArray([...tasks.keys()]), pgArray([...tasks.values()])],
  });
  return rows.map(({ taskId, version, type, at, data }) => ({
    taskId,
    version,
    type,
    at,
    changes: data.changes,
    detail: data,
  }));
}

type StoredRow = {
  taskId: string;
  version: number;
  type: TaskEventType;
  at: number;
  data: Pick<ReplayEvent, 'changes'> & StoredEvent['detail'];
};

const STORED = everywhere('task_events', ['task_id', 'version', 'event_type', 'created_at', 'event_data']);

const UP_TO = `SELECT e.task_id AS "taskId", e.version, e.event_type AS type, e.created_at AS at,
    e.event_data AS data
  FROM unnest($1::uuid[], $2::int[]) AS u(task_id, version)
  CROSS JOIN LATERAL (SELECT * FROM ${STORED} s WHERE s.task_id = u.task_id AND s.version <= u.version) e
  ORDER BY e.task_id, e.version`;
