import type { Client } from '../database/database.js';
import { everywhere } from '../database/archive-tables.js';
import { STATE_COLUMNS } from '../tasks/task.columns.js';
import { describe, DESCRIPTION_COLUMNS, type DescribedRow } from '../tasks/task.reader.store.js';
import { PAYLOADS, type AuditedEvent, type AuditedTask, type Hashes } from './history.fold.js';

/** Rows of one read: a task may have 320 KiB of description and metadata, and so may its first event. */
const PAGE = 200;

export type TaskToAudit = AuditedTask & {
  /** Its row is in the hot tables and in the archive; it is there without its tree; what it waits for is nowhere. */
  readonly faults: readonly string[];
};

const READ = [...STATE_COLUMNS, ...DESCRIPTION_COLUMNS];
const HASHES = PAYLOADS.map(
  (name) => `encode(sha256(convert_to(t.${name}::text, 'UTF8')), 'hex') AS ${name}_hash`,
);

/** The next tasks by id, wherever they are. */
const TASKS = `SELECT ${READ.map((name) => `t.${name}`).join(', ')}, ${HASHES.join(', ')}, t.archived,
    t.parent_task_id IS NOT NULL AND CASE WHEN t.archived THEN EXISTS (SELECT FROM tasks r WHERE r.id = t.root_task_id)
      ELSE EXISTS (SELECT FROM archived_tasks r WHERE r.id = t.root_task_id) END AS is_split,
    t.archived AND EXISTS (SELECT FROM tasks o WHERE o.id = t.id) AS is_double,
    ARRAY(SELECT d.depends_on::text FROM task_dependencies d WHERE d.task_id = t.id AND t.completed_at IS NULL
      AND NOT EXISTS (SELECT FROM ${everywhere('tasks', ['id'])} o WHERE o.id = d.depends_on)) AS missing
  FROM (SELECT ${[...READ, ...PAYLOADS].join(', ')}, false AS archived FROM tasks
    UNION ALL SELECT ${[...READ, ...PAYLOADS].join(', ')}, true FROM archived_tasks) t
  WHERE t.id > $1 ORDER BY t.id, t.archived DESC LIMIT ${PAGE}`;

type Row = DescribedRow & {
  archived: boolean;
  is_split: boolean;
  is_double: boolean;
  missing: readonly string[];
} & { [Name in `${(typeof PAYLOADS)[number]}_hash`]: string | null };

/** The next tasks by id behind `after`; fewer than asked for at the end, where `isLast` is true. */
export async function readTasks(
  db: Client,
  after: string,
): Promise<{ readonly tasks: readonly TaskToAudit[]; readonly isLast: boolean }> {
  const { rows } = await db.query<Row>({ name: 'audit-tasks', text: TASKS, values: [after] });
  return { tasks: rows.map(toAudited), isLast: rows.length < PAGE };
}

function toAudited({ archived, is_split: isSplit, is_double: isDouble, missing, ...row }: Row): TaskToAudit {
  const { dueAt, offerTries, offerAcceptedAt, ...task } = describe(row);
  void [dueAt, offerTries, offerAcceptedAt];
  const hashes = Object.fromEntries(PAYLOADS.map((name) => [name, row[`${name}_hash`]])) as Hashes;
  return {
    task,
    hashes,
    archived,
    faults: [
      ...(isDouble ? ['it is in the archive and in the hot tables too'] : []),
      ...(isSplit ? ['its tree is partly in the archive'] : []),
      ...missing.map((id) => `it waits for task ${id}, which is nowhere`),
    ],
  };
}

export type EventToAudit = AuditedEvent & { readonly taskId: string };

const EVENTS = everywhere('task_events', [
  'task_id',
  'version',
  'event_type',
  'created_at',
  'attempt',
  'event_data',
]);

/** All events of a range of ids by task and version, a few at a time. Inside a transaction, whose end closes it. */
export async function* readEvents(
  db: Client,
  range: { readonly after: string; readonly upTo: string | undefined },
): AsyncGenerator<readonly EventToAudit[]> {
  await db.query(
    `DECLARE audited NO SCROLL CURSOR FOR SELECT task_id AS "taskId", version, event_type AS type,
        created_at AS at, attempt, event_data AS data
      FROM ${EVENTS} e WHERE task_id > $1 AND task_id <= $2 ORDER BY task_id, version`,
    [range.after, range.upTo ?? 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  );
  for (;;) {
    const { rows } = await db.query<EventToAudit>(`FETCH ${PAGE} FROM audited`);
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) break;
  }
  await db.query('CLOSE audited');
}
