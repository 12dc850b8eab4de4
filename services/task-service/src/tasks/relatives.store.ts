import type { Actor, JsonValue, TaskDependency, TaskQuestion } from '@baton/contracts';
import { everywhere } from '../database/archive-tables.js';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import type { Page } from '../write-path/pages.js';
import { iso } from './task.events.js';
import { EVENTS_EVERYWHERE } from './task.reader.store.js';
import { LISTED, toListed, type ListedColumns, type ListedTask } from './list.store.js';

/** A task to whose relatives a list leads. */
export type Anchor = { readonly id: string; readonly rootTaskId: string; readonly archived: boolean };

const EDGES_EVERYWHERE = everywhere('task_dependencies', ['task_id', 'depends_on', 'policy', 'name']);
const TITLES_EVERYWHERE = everywhere('tasks', ['id', 'status', 'title']);

/** What a task depends on, by id of the dependency, which may be archived. */
export async function pageDependencies(
  db: Queryable,
  { id, archived }: Anchor,
  { after, limit }: Page,
): Promise<readonly (TaskDependency & { readonly title: string })[]> {
  const { rows } = await db.query<TaskDependency & { title: string }>({
    name: archived ? 'page-dependencies-archived' : 'page-dependencies',
    text: `SELECT d.depends_on AS "taskId", d.policy, d.name, t.status, t.title
      FROM (SELECT * FROM ${archived ? EDGES_EVERYWHERE : 'task_dependencies'} e
        WHERE e.task_id = $1 AND e.depends_on > $2 ORDER BY e.depends_on LIMIT $3) d
      JOIN LATERAL (SELECT * FROM ${TITLES_EVERYWHERE} o WHERE o.id = d.depends_on) t ON true
      ORDER BY d.depends_on`,
    values: [id, after, limit],
  });
  return rows;
}

/** Children of a task, oldest first: with it in the archive, or with it hot. */
export async function pageChildren(
  db: Queryable,
  { id, rootTaskId, archived }: Anchor,
  { after, limit }: Page,
): Promise<readonly ListedTask[]> {
  const { rows } = await db.query<ListedColumns>({
    name: archived ? 'page-children-archived' : 'page-children',
    text: `SELECT ${LISTED} FROM ${archived ? 'archived_tasks' : 'tasks'} t
      WHERE t.root_task_id = $4 AND t.parent_task_id = $1 AND t.id > $2 ORDER BY t.id LIMIT $3`,
    values: [id, after, limit, rootTaskId],
  });
  return rows.map(toListed);
}

/** Tasks below a root, oldest first: O(page), however large the tree is. */
export async function pageTree(
  db: Queryable,
  { rootTaskId, archived }: Anchor,
  { after, limit }: Page,
): Promise<readonly ListedTask[]> {
  const { rows } = await db.query<ListedColumns>({
    name: archived ? 'page-tree-archived' : 'page-tree',
    text: `SELECT ${LISTED} FROM ${archived ? 'archived_tasks' : 'tasks'} t
      WHERE t.root_task_id = $1 AND t.parent_task_id IS NOT NULL AND t.id > $2 ORDER BY t.id LIMIT $3`,
    values: [rootTaskId, after, limit],
  });
  return rows.map(toListed);
}

type QuestionRow = {
  taskId: string;
  attempt: number;
  reason: TaskQuestion['reason'];
  actor: Actor;
  at: number;
  asked: { readonly question: string } | null;
  answered: { readonly answer: JsonValue } | null;
};

/** What the holders of tasks asked and were told, read from the histories; tasks without any are not in the answer. */
export async function findQuestions(
  db: Queryable,
  ids: readonly string[],
  { archived = false }: { readonly archived?: boolean } = {},
): Promise<ReadonlyMap<string, readonly TaskQuestion[]>> {
  const questions = new Map<string, TaskQuestion[]>();
  if (ids.length === 0) return questions;
  const { rows } = await db.query<QuestionRow>({
    name: archived ? 'find-questions-archived' : 'find-questions',
    text: `SELECT task_id AS "taskId", attempt, reason, actor, created_at AS at,
        event_data->'asked' AS asked, event_data->'answered' AS answered
      FROM ${archived ? EVENTS_EVERYWHERE : 'task_events'} e WHERE task_id = ANY($1::uuid[]) AND event_type IN ('task.blocked','task.queued')
        AND (event_data->'asked' IS NOT NULL OR event_data->'answered' IS NOT NULL)
      ORDER BY task_id, version`,
    values: [pgArray(ids)],
  });
  for (const { taskId, attempt, reason, actor, at, asked, answered } of rows) {
    const list = questions.get(taskId) ?? [];
    questions.set(taskId, list);
    const unanswered = { answer: null, answeredBy: null, answeredAt: null };
    if (asked !== null)
      list.push({ attempt, reason, question: asked.question, askedAt: iso(at), ...unanswered });
    const last = list.pop();
    if (last === undefined) continue;
    list.push(
      answered === null ? last : { ...last, answer: answered.answer, answeredBy: actor, answeredAt: iso(at) },
    );
  }
  return questions;
}
