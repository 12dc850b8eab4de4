import { labelsMet, type AgentView, type BacklogRequest, type QueuedTask } from '@baton/contracts';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import { STATE_COLUMNS } from '../tasks/task.columns.js';
import { toQueuedTask } from '../tasks/task.events.js';
import { rowToTask, type TaskRow } from '../tasks/task.row.js';
import { FIRST_ID } from '../write-path/pages.js';

const STATE = STATE_COLUMNS.map((name) => `t.${name}`).join(', ');

type ClassPage = NonNullable<BacklogRequest['classes']>[number];

/**
 * The best tasks of each class behind its cursor, one more than asked to know whether there are more. One walk of
 * `tasks_backlog` for each class, as long as its page: independent of how many tasks wait.
 */
export async function findQueued(
  db: Queryable,
  classes: readonly ClassPage[],
): Promise<ReadonlyMap<string, readonly QueuedTask[]>> {
  const { rows } = await db.query<TaskRow & { backlog_class: string }>({
    name: 'find-queued',
    text: `SELECT ${STATE} FROM unnest($1::text[], $2::bigint[], $3::uuid[], $4::int[]) AS u(class, key, id, pages)
      CROSS JOIN LATERAL (SELECT * FROM tasks b
        WHERE b.status = 'queued' AND b.backlog_class = u.class AND (b.queue_key, b.id) > (u.key, u.id)
        ORDER BY b.queue_key, b.id LIMIT u.pages) t`,
    values: [
      pgArray(classes.map(({ backlogClass }) => backlogClass)),
      pgArray(classes.map(({ after }) => after?.queueKey ?? 0)),
      pgArray(classes.map(({ after }) => after?.id ?? FIRST_ID)),
      pgArray(classes.map(({ limit }) => limit + 1)),
    ],
  });
  const byClass = new Map<string, QueuedTask[]>(classes.map(({ backlogClass }) => [backlogClass, []]));
  for (const row of rows) byClass.get(row.backlog_class)?.push(toQueuedTask(rowToTask(row)));
  return byClass;
}

/** The first task of each class behind `after` that has queued tasks: a loose index scan, O(classes found). */
export async function discoverClasses(
  db: Queryable,
  after: string,
  limit: number,
): Promise<readonly QueuedTask[]> {
  const { rows } = await db.query<TaskRow>({
    name: 'discover-classes',
    text: `WITH RECURSIVE head AS (
        (SELECT backlog_class, 1 AS depth FROM tasks WHERE status = 'queued' AND backlog_class > $1
          ORDER BY backlog_class LIMIT 1)
        UNION ALL
        SELECT (SELECT n.backlog_class FROM tasks n WHERE n.status = 'queued' AND n.backlog_class > head.backlog_class
          ORDER BY n.backlog_class LIMIT 1), head.depth + 1
        FROM head WHERE head.backlog_class IS NOT NULL AND head.depth < $2)
      SELECT ${STATE} FROM head CROSS JOIN LATERAL (SELECT * FROM tasks b
        WHERE b.status = 'queued' AND b.backlog_class = head.backlog_class ORDER BY b.queue_key, b.id LIMIT 1) t`,
    values: [after, limit],
  });
  return rows.map((row) => toQueuedTask(rowToTask(row)));
}

const DISCOVERY_PAGE = 200;
const DISCOVERY_PAGES = 5;

/**
 * Ready tasks an agent could do, best first, at most `limit`: of up to 1,000 classes those it fits, the same number of
 * each. O(classes looked at and tasks read), independent of how many wait.
 */
export async function findFitting(
  db: Queryable,
  agent: Pick<AgentView, 'id' | 'capabilities' | 'labels'>,
  limit: number,
): Promise<readonly QueuedTask[]> {
  const heads: QueuedTask[] = [];
  let after = '';
  for (let page = 0; page < DISCOVERY_PAGES; page += 1) {
    const found = await discoverClasses(db, after, DISCOVERY_PAGE);
    heads.push(...found.filter(({ needs }) => fits(agent, needs)));
    after = found.at(-1)?.needs.backlogClass ?? '';
    if (found.length < DISCOVERY_PAGE) break;
  }
  const classes = heads.slice(0, limit).map(({ needs }) => needs.backlogClass);
  if (classes.length === 0) return [];
  const share = Math.max(1, Math.floor(limit / classes.length));
  const queued = await findQueued(
    db,
    classes.map((backlogClass) => ({ backlogClass, limit: share })),
  );
  return [...queued.values()]
    .flat()
    .toSorted((a, b) => a.needs.queueKey - b.needs.queueKey || (a.id < b.id ? -1 : 1))
    .slice(0, limit);
}

function fits(
  { id, capabilities, labels }: Pick<AgentView, 'id' | 'capabilities' | 'labels'>,
  { requiredCapabilities, criteria, pinnedTo }: QueuedTask['needs'],
): boolean {
  if (pinnedTo !== undefined || criteria.requiredAgents?.includes(id) === false) return false;
  if (labelsMet(labels, criteria.requiredLabels ?? {}) < 1) return false;
  const levels = new Map(capabilities.map(({ name, level }) => [name, level]));
  return requiredCapabilities.every(({ name, minLevel = 0 }) => (levels.get(name) ?? -1) >= minLevel);
}
