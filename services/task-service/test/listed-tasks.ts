import type { Pool } from '../src/database/database.js';

/** The first id's time, and how far apart ids are. */
export const FIRST_MS = Date.UTC(2026, 0);
export const STEP_MS = 1_000;
const CHUNK = 3_000;

/** A task of `fillTasks` as a reader of lists sees it. */
export type Listed = {
  readonly id: string;
  readonly status: string;
  readonly priority: number;
  readonly type: string;
  readonly title: string;
  readonly created_by: string;
  readonly last_agent_id: string | null;
  readonly tags: readonly string[];
  readonly parent_task_id: string | null;
  readonly root_task_id: string;
  readonly completed_at: number | null;
};

/** Tasks of every status, type, agent, creator, tag and tree, the same in every run; one second apart by their ids. */
export async function fillTasks(pool: Pool, count: number): Promise<void> {
  // In pieces that stay within the statement timeout on a machine that has other work.
  for (let from = 0; from < count; from += CHUNK) {
    await pool.query(FILL, [from, FIRST_MS, STEP_MS, Math.min(from + CHUNK, count) - 1]);
  }
  await pool.query('ANALYZE tasks, task_tags');
}

/** All of them, read without any list. */
export async function readListed(pool: Pool): Promise<readonly Listed[]> {
  const { rows } = await pool.query<Listed>(
    `SELECT id, status, priority, type, title, created_by, last_agent_id, tags, parent_task_id, root_task_id,
      completed_at FROM tasks ORDER BY id`,
  );
  return rows;
}

const pick = (salt: number, of: number) => `abs(hashint4(g * 31 + ${salt})::bigint) % ${of}`;
const id = (n: string) =>
  `(lpad(to_hex($2::bigint + ${n} * $3::bigint), 12, '0') || '70008000' || lpad(to_hex(${n}), 12, '0'))::uuid`;

const FILL = `INSERT INTO tasks (id, title, description, type, tags, metadata, status, priority, version, created_by,
    assigned_to, holder_epoch, last_agent_id, parent_task_id, root_task_id, depth, detached, required_capabilities,
    preferred_capabilities, criteria, excluded_agents, skipped_agents, needs_class, attempt, retry_count, max_retries,
    lost_count, handover_count, retry_policy, start_timeout, created_at, updated_at, first_queued_at, queued_at,
    assigned_at, started_at, completed_at, queue_key, backlog_class, offer_tries, input, context)
  SELECT ${id('g')}, 'Task ' || g || CASE WHEN ${pick(1, 500)} = 0 THEN ' needle 100%_x' ELSE '' END, '',
    (ARRAY['task','summary','summ_x','audit:web','audit:db'])[1 + ${pick(2, 5)}],
    CASE ${pick(3, 20)} WHEN 0 THEN '["red"]' WHEN 1 THEN '["red","blue"]' ELSE '[]' END::json, '{}',
    status, 1 + ${pick(4, 5)}, 1, CASE WHEN ${pick(5, 3)} = 0 THEN 'agent:planner' ELSE 'user:local' END,
    CASE WHEN held THEN agent END, CASE WHEN held THEN 1 END, CASE WHEN had THEN agent END,
    CASE WHEN child THEN ${id('(g - g % 50)')} END, CASE WHEN child THEN ${id('(g - g % 50)')} ELSE ${id('g')} END,
    CASE WHEN child THEN 1 ELSE 0 END, false, '[]', '[]', '{}', '[]', '[]', 'class', CASE WHEN had THEN 1 ELSE 0 END,
    0, 3, 0, 0, '{}', 60, at, at, at, at, CASE WHEN had THEN at END, CASE WHEN had THEN at END,
    CASE WHEN ended THEN at + interval '90 seconds' END, g, CASE WHEN status = 'queued' THEN 'class' END, 0, '{}', '{}'
  FROM (
    SELECT g, status, status IN ('assigned','in_progress') AS held, status NOT IN ('created','queued','blocked') AS had,
      status IN ('completed','failed','cancelled') AS ended, 'agent-' || ${pick(6, 4)} AS agent,
      g % 50 BETWEEN 1 AND 5 AS child, to_timestamp(($2::bigint + g * $3::bigint) / 1000.0) AS at
    FROM generate_series($1::int, $4::int) g, LATERAL (SELECT CASE
      WHEN ${pick(7, 100)} < 80 THEN 'completed' WHEN ${pick(7, 100)} < 85 THEN 'queued'
      ELSE (ARRAY['created','assigned','in_progress','blocked','failed','cancelled'])[1 + ${pick(8, 6)}] END AS status) s
  ) t`;
