import type { Fields, HistoryEvent } from './history.js';
import type { Expiry } from './fleet.js';
import type { Relative } from './relations.js';

/** Asks the database of task-service. */
export type Query = <Row extends Record<string, unknown>>(
  text: string,
  values?: readonly unknown[],
) => Promise<Row[]>;

/** A row of `tasks` with the SHA-256 of what only agents read, and its history. */
export type StoredTask = Relative & {
  readonly fields: Fields;
  readonly hashes: Hashes;
  readonly dependsOn: readonly StoredEdge[];
  readonly events: readonly StoredEvent[];
};

/** In hexadecimal; of the result only when there is one. */
export type Hashes = { readonly input: string; readonly context: string; readonly result: string | null };

/** `since`: when an edge was put on a live task, else 0. */
export type StoredEdge = { readonly id: string; readonly policy: string; readonly since: number };

export type StoredEvent = HistoryEvent & { readonly hashes: Partial<Hashes> };

const PAGE = 2_000;

const TIMES = {
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  firstQueuedAt: 'first_queued_at',
  queuedAt: 'queued_at',
  availableAt: 'available_at',
  assignedAt: 'assigned_at',
  startedAt: 'started_at',
  completedAt: 'completed_at',
  deadline: 'deadline',
};

const VALUES = {
  status: 'status',
  statusReason: 'status_reason',
  version: 'version',
  priority: 'priority',
  type: 'type',
  createdBy: 'created_by',
  parentTaskId: 'parent_task_id',
  rootTaskId: 'root_task_id',
  depth: 'depth',
  detached: 'detached',
  assignedTo: 'assigned_to',
  lastAgentId: 'last_agent_id',
  holderEpoch: 'holder_epoch',
  attempt: 'attempt',
  retryCount: 'retry_count',
  lostCount: 'lost_count',
  handoverCount: 'handover_count',
  excludedAgents: 'excluded_agents',
  requiredCapabilities: 'required_capabilities',
  maxRetries: 'max_retries',
  actualDuration: 'actual_duration',
  backlogClass: 'backlog_class',
  error: 'error',
  title: 'title',
};

const FIELDS = [
  ...Object.entries(VALUES).map(([field, column]) => `'${field}', ${column}`),
  ...Object.entries(TIMES).map(([field, column]) => `'${field}', ${milliseconds(column)}`),
].join(', ');

const TASKS = `SELECT id, json_build_object(${FIELDS}) AS fields,
    json_build_object('input', ${sha256('input')}, 'context', ${sha256('context')}, 'result', ${sha256('result')}) AS hashes,
    ARRAY(SELECT json_build_object('id', d.depends_on, 'policy', d.policy, 'since', coalesce((
        SELECT max(${milliseconds('e.created_at')}) FROM task_events e WHERE e.task_id = t.id
          AND e.event_data->'linked'->>'taskId' = d.depends_on::text), 0))
      FROM task_dependencies d WHERE d.task_id = t.id) AS "dependsOn"
  FROM tasks t WHERE id > $1 ORDER BY id LIMIT ${PAGE}`;

const EVENTS = `SELECT task_id AS "taskId", version, event_type AS type, actor, reason, attempt,
    ${milliseconds('created_at')} AS at, event_data->'changes' AS changes,
    json_strip_nulls(json_build_object('input', event_data->'inputSha256', 'context', event_data->'contextSha256',
      'result', event_data->'resultSha256')) AS hashes
  FROM task_events WHERE task_id = ANY($1::uuid[]) ORDER BY task_id, version`;

/** Every task with its history, by id; read page by page, as histories are long. */
export async function readTasks(query: Query): Promise<ReadonlyMap<string, StoredTask>> {
  const tasks = new Map<string, StoredTask>();
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const rows = await query<{ id: string; fields: Fields; hashes: Hashes; dependsOn: StoredEdge[] }>(TASKS, [
      after,
    ]);
    const ids = rows.map(({ id }) => id);
    const events = byTask(await query<{ taskId: string } & StoredEvent>(EVENTS, [ids]));
    for (const row of rows) {
      tasks.set(row.id, {
        ...(row.fields as Omit<Relative, 'id'>),
        ...row,
        events: events.get(row.id) ?? [],
      });
    }
    const last = ids.at(-1);
    if (last === undefined || ids.length < PAGE) return tasks;
    after = last;
  }
}

/** Events of tasks that are not there. */
export async function countOrphanedEvents(query: Query): Promise<number> {
  return count(
    query,
    `task_events e WHERE NOT EXISTS (SELECT FROM tasks t WHERE t.id = e.task_id)
      AND NOT EXISTS (SELECT FROM task_events d WHERE d.task_id = e.task_id AND d.event_type = 'task.deleted')`,
  );
}

/** Agents found silent, from the audit log. */
export function readExpiries(query: Query): Promise<readonly Expiry[]> {
  return query<Expiry>(
    `SELECT subject AS "agentId", ${milliseconds('at')} AS at FROM audit_log
     WHERE action = 'agent.offline' AND detail->>'reason' = 'silent' ORDER BY at`,
  );
}

/** How many tasks an agent may hold, by agent. */
export async function readCapacity(query: Query): Promise<ReadonlyMap<string, number>> {
  const rows = await query<{ id: string; room: number }>(
    'SELECT id, max_concurrent + prefetch AS room FROM agents',
  );
  return new Map(rows.map(({ id, room }) => [id, room]));
}

/** What agents were refused about tasks they do not hold, or not any more. */
export function countRefused(query: Query): Promise<number> {
  return count(
    query,
    `audit_log WHERE action LIKE 'task.%' AND code IN ('STALE_ATTEMPT', 'STALE_SESSION', 'TASK_STATE_CONFLICT')`,
  );
}

/** What the alarm of `installCapacityAlarm` recorded. */
export async function readAlarms(query: Query): Promise<readonly string[]> {
  const rows = await query<{ detail: object }>(`SELECT detail FROM audit_log WHERE action = 'over_capacity'`);
  return rows.map(({ detail }) => `a statement left an agent over its capacity: ${JSON.stringify(detail)}`);
}

/** Tasks that have not ended. */
export function countUnfinished(query: Query): Promise<number> {
  return count(query, `tasks WHERE status NOT IN ('completed','failed','cancelled')`);
}

/** Committed events that are not published. */
export function countUnpublished(query: Query): Promise<number> {
  return count(query, 'outbox');
}

/** What has not ended, in groups, with one of each to look at, and the agents: enough to see why nothing moves. */
export async function describeUnfinished(query: Query): Promise<string> {
  const tasks = await query(
    `SELECT status, status_reason AS reason, assigned_to AS agent, backlog_class IS NOT NULL AS ready,
       count(*)::int AS tasks, min(id::text) AS example, max(attempt) AS attempts,
       round(extract(epoch FROM clock_timestamp() - min(updated_at)))::int AS "unchangedSeconds",
       round(extract(epoch FROM min(due_at) - clock_timestamp()))::int AS "dueInSeconds"
     FROM tasks WHERE status NOT IN ('completed','failed','cancelled') GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT 20`,
  );
  const agents = await query(
    `SELECT a.status, count(*)::int AS agents, sum(max_concurrent + prefetch)::int AS slots,
       sum((SELECT count(*) FROM tasks t WHERE t.assigned_to = a.id AND t.status IN ('assigned','in_progress')))::int AS held
     FROM agents a GROUP BY 1`,
  );
  return [...tasks, ...agents].map((row) => JSON.stringify(row)).join('\n');
}

function byTask(
  events: readonly ({ readonly taskId: string } & StoredEvent)[],
): ReadonlyMap<string, readonly StoredEvent[]> {
  const groups = new Map<string, StoredEvent[]>();
  for (const event of events) {
    const group = groups.get(event.taskId);
    if (group === undefined) groups.set(event.taskId, [event]);
    else group.push(event);
  }
  return groups;
}

async function count(query: Query, from: string): Promise<number> {
  const [row] = await query<{ n: number }>(`SELECT count(*)::int AS n FROM ${from}`);
  return row?.n ?? Number.NaN;
}

function milliseconds(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8`;
}

function sha256(column: string): string {
  return `encode(sha256(convert_to(${column}::text, 'UTF8')), 'hex')`;
}
