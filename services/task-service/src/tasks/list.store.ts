import type { Queryable } from '../database/database.js';
import type { ListPlan } from './list.filter.js';
import { SCANNED_ROWS } from './list.policy.js';
import { countStatement, estimateStatement, pageStatement, type Position } from './list.statements.store.js';
import { STATE_COLUMNS } from './task.columns.js';
import { rowToTask, type TaskRow } from './task.row.js';
import type { Task, TaskDescription } from './task.js';

/** A task as lists have it: nothing of it is large. */
export type ListedTask = Task & Pick<TaskDescription, 'title' | 'tags' | 'estimatedDuration'>;

export type ListPage = {
  readonly tasks: readonly ListedTask[];
  /** Where to go on; nothing at the end of the list. */
  readonly next: Position | undefined;
};

/** The columns of `tasks t` that `toListed` reads. */
export const LISTED = [...STATE_COLUMNS, 'title', 'tags', 'estimated_duration']
  .map((name) => `t.${name}`)
  .join(', ');

export type ListedColumns = TaskRow & {
  title: string;
  tags: readonly string[];
  estimated_duration: number | null;
};

type ListedRow = ListedColumns & {
  hit: boolean;
  /** Which row of those read it is. */
  n: number | null;
};

/**
 * A page behind `after`. Reads `limit` rows along the plan's index, or at most SCANNED_ROWS where rows are checked:
 * such a page may be short, even empty, and the list still go on.
 */
export async function findPage(
  db: Queryable,
  plan: ListPlan,
  after: Position | undefined,
  limit: number,
): Promise<ListPage> {
  const statement = pageStatement(plan, after, limit);
  const { rows } = await db.query<ListedRow>(statement.text, [...statement.values]);
  const hits = rows.filter(({ hit }) => hit);
  const page = hits.slice(0, limit);
  const tasks = page.map(toListed);
  if (hits.length > limit) return { tasks, next: toPosition(page.at(-1)) };
  // The last row that may be read comes along whether it matches or not: the list goes on behind it.
  return { tasks, next: toPosition(rows.find(({ n }) => n === SCANNED_ROWS)) };
}

function toPosition(row: ListedRow | undefined): Position | undefined {
  return row && { id: row.id, priority: row.priority };
}

/** What was counted, and of how many rows; as many as COUNTED_ROWS means there may be more. */
export async function countRows(
  db: Queryable,
  plan: ListPlan,
): Promise<{ readonly scanned: number; readonly matched: number }> {
  const { text, values } = countStatement(plan);
  const { rows } = await db.query<{ scanned: number; matched: number }>(text, [...values]);
  return rows[0] ?? { scanned: 0, matched: 0 };
}

/** How many rows the plan's index has for it, as the database's statistics tell: nothing is read. */
export async function estimateRows(db: Queryable, plan: ListPlan): Promise<number> {
  const { text, values } = estimateStatement(plan);
  const { rows } = await db.query<Explained>(text, [...values]);
  return rows[0]?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0;
}

type Explained = { readonly 'QUERY PLAN': readonly [{ readonly Plan: { readonly 'Plan Rows': number } }] };

export function toListed(row: ListedColumns): ListedTask {
  const { title, tags, estimated_duration: estimatedDuration } = row;
  return { ...rowToTask(row), title, tags, estimatedDuration };
}
