import type { Pool } from '../src/database/database.js';

const CHUNK = 10_000;

/** The class of most tasks of `fillWaiting`, and how many others there are. */
export const FLOODED = 'flood';
export const OTHER_CLASSES = 100;

/**
 * Waiting tasks, one millisecond apart: of ten, nine are of one class and one is of one of a hundred others in turn. They
 * are rows without a history, for what reads the backlog and nothing else. 100,000 take about ten seconds.
 */
export async function fillWaiting(pool: Pool, count: number): Promise<void> {
  // In pieces that stay within the statement timeout on a machine that has other work.
  for (let from = 0; from < count; from += CHUNK) {
    await pool.query(FILL, [from, Math.min(from + CHUNK, count) - 1]);
  }
}

const ID = `(lpad(to_hex(1767225600000 + g), 12, '0') || '70008000000000000000')::uuid`;

const FILL = `INSERT INTO tasks (id, title, description, type, tags, metadata, status, priority, version, created_by,
    root_task_id, depth, detached, required_capabilities, preferred_capabilities, criteria, excluded_agents,
    skipped_agents, needs_class, attempt, retry_count, max_retries, lost_count, handover_count, retry_policy,
    start_timeout, created_at, updated_at, first_queued_at, queued_at, queue_key, backlog_class, offer_tries, input,
    context)
  SELECT ${ID}, 'Task ' || g, '', 'task', '[]', '{}', 'queued', 3, 1, 'user:local', ${ID}, 0, false, '[]', '[]', '{}',
    '[]', '[]', class, 0, 0, 3, 0, 0, '{}', 60, at, at, at, at, 1767225600000 + g, class, 0, '{}', '{}'
  FROM generate_series($1::int, $2::int) g, LATERAL (SELECT to_timestamp((1767225600000 + g) / 1000.0) AS at,
    CASE WHEN g % 10 = 0 THEN 'other-' || lpad((g / 10 % ${OTHER_CLASSES})::text, 2, '0') ELSE '${FLOODED}' END AS class) t`;
