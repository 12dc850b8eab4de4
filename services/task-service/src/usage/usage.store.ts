import type { Budget, Usage, UsageHint } from '@baton/contracts';
import { everywhere } from '../database/archive-tables.js';
import type { Queryable } from '../database/database.js';
import { pgArray } from '../database/pg-array.js';
import type { TreeSpending } from './budget.decide.js';

/** What an agent says an attempt of its has used up so far. */
export type ToldUsage = { readonly taskId: string; readonly attempt: number; readonly usage: Usage };

/**
 * Keeps the largest figures told of attempts this agent had, the present or an earlier one, and says which changed.
 * O(items); of an attempt that is over, the task's history is asked whose it was. In order of task, so that two
 * writers never wait in a cycle.
 */
export async function saveUsage(
  db: Queryable,
  agentId: string,
  told: readonly ToldUsage[],
): Promise<UsageHint> {
  const { rows } = await db.query<UsageHint[number]>({
    name: 'save-usage',
    text: `WITH had AS (
        SELECT u.id, u.attempt, t.root_task_id, max(u.input) AS input, max(u.output) AS output, max(u.cost) AS cost
        FROM unnest($2::uuid[], $3::int[], $4::bigint[], $5::bigint[], $6::float8[])
          AS u(id, attempt, input, output, cost)
        JOIN tasks t ON t.id = u.id AND (
          (t.attempt = u.attempt AND t.last_agent_id = $1)
          OR (t.attempt > u.attempt AND EXISTS (SELECT FROM task_events e WHERE e.task_id = u.id
            AND e.attempt = u.attempt AND e.event_data->'changes'->>'assignedTo' = $1)))
        GROUP BY u.id, u.attempt, t.root_task_id),
      saved AS (
        INSERT INTO task_usage AS p (task_id, attempt, root_task_id, agent_id, input_tokens, output_tokens, cost_usd,
          updated_at)
        SELECT id, attempt, root_task_id, $1, input, output, cost, clock_timestamp() FROM had ORDER BY id, attempt
        ON CONFLICT (task_id, attempt) DO UPDATE SET
          input_tokens = greatest(p.input_tokens, excluded.input_tokens),
          output_tokens = greatest(p.output_tokens, excluded.output_tokens),
          cost_usd = greatest(p.cost_usd, excluded.cost_usd), updated_at = excluded.updated_at
        WHERE excluded.input_tokens > p.input_tokens OR excluded.output_tokens > p.output_tokens
          OR excluded.cost_usd > p.cost_usd
        RETURNING p.*)
      SELECT s.task_id AS "taskId", s.attempt, s.root_task_id AS "rootTaskId", s.agent_id AS "agentId",
        s.input_tokens AS "inputTokens", s.output_tokens AS "outputTokens", s.cost_usd AS "costUsd",
        coalesce(r.budget IS NOT NULL, false) AS "hasBudget"
      FROM saved s LEFT JOIN tasks r ON r.id = s.root_task_id`,
    values: [
      agentId,
      pgArray(told.map(({ taskId }) => taskId)),
      pgArray(told.map(({ attempt }) => attempt)),
      pgArray(told.map(({ usage }) => usage.inputTokens)),
      pgArray(told.map(({ usage }) => usage.outputTokens)),
      pgArray(told.map(({ usage }) => usage.costUsd)),
    ],
  });
  return rows;
}

const usageIn = (usage: string): string =>
  `SELECT count(*) AS attempts, coalesce(sum(input_tokens), 0)::float8 AS "inputTokens",
      coalesce(sum(output_tokens), 0)::float8 AS "outputTokens", coalesce(sum(cost_usd), 0) AS "costUsd"
    FROM ${usage} u WHERE task_id = $1`;
const USAGE = usageIn('task_usage');
const USAGE_EVERYWHERE = usageIn(
  everywhere('task_usage', ['task_id', 'input_tokens', 'output_tokens', 'cost_usd']),
);

/** All attempts of a task together, archived or not; nothing when none told anything. */
export async function findUsage(
  db: Queryable,
  { id, archived }: { readonly id: string; readonly archived: boolean },
): Promise<Usage | null> {
  const { rows } = await db.query<Usage & { attempts: number }>({
    name: archived ? 'find-usage-everywhere' : 'find-usage',
    text: archived ? USAGE_EVERYWHERE : USAGE,
    values: [id],
  });
  const [sum] = rows;
  if (sum === undefined || sum.attempts === 0) return null;
  const { attempts: _, ...usage } = sum;
  return usage;
}

/**
 * What trees with a budget have used, by root, read without a lock; what was deleted of them counts on. O(tasks and
 * attempts of those trees).
 */
export async function findSpending(
  db: Queryable,
  roots: readonly string[],
): Promise<ReadonlyMap<string, TreeSpending>> {
  const { rows } = await db.query<Omit<TreeSpending, 'budget'> & { budget: Budget }>({
    name: 'find-spending',
    text: `SELECT r.id AS "rootTaskId", r.budget, used.tokens + coalesce(d.tokens, 0)::float8 AS tokens,
        used.cost + coalesce(d.cost_usd, 0) AS "costUsd", 1 + coalesce(d.tasks, 0)
          + (SELECT count(*) FROM tasks t WHERE t.root_task_id = r.id AND t.parent_task_id IS NOT NULL) AS tasks
      FROM tasks r LEFT JOIN deleted_usage d ON d.task_id = r.id CROSS JOIN LATERAL (
        SELECT coalesce(sum(input_tokens + output_tokens), 0)::float8 AS tokens, coalesce(sum(cost_usd), 0) AS cost
        FROM task_usage u WHERE u.root_task_id = r.id) used
      WHERE r.id = ANY($1::uuid[]) AND r.budget IS NOT NULL`,
    values: [pgArray(roots)],
  });
  return new Map(rows.map((row) => [row.rootTaskId, row]));
}

/** Roots of trees with a budget that somebody works in. O(held tasks). */
export async function findBudgetsAtWork(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>({
    name: 'find-budgets-at-work',
    text: `SELECT DISTINCT r.id FROM tasks t JOIN tasks r ON r.id = t.root_task_id AND r.budget IS NOT NULL
      WHERE t.status IN ('assigned','in_progress')`,
  });
  return rows.map(({ id }) => id);
}

/** Held tasks of a tree by levels, the deepest first. O(tasks of the tree). */
export async function findHeldOfTree(db: Queryable, root: string): Promise<readonly (readonly string[])[]> {
  const { rows } = await db.query<{ ids: readonly string[] }>({
    name: 'find-held-of-tree',
    text: `SELECT array_agg(id ORDER BY id) AS ids FROM tasks WHERE status IN ('assigned','in_progress')
      AND (id = $1 OR (root_task_id = $1 AND parent_task_id IS NOT NULL)) GROUP BY depth ORDER BY depth DESC`,
    values: [root],
  });
  return rows.map(({ ids }) => ids);
}
